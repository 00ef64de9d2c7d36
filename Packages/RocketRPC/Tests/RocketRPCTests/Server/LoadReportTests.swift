import RocketBalancing
import RocketBase
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketBaseTestKit
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// What a server reports of its load, with a clock that only handlers and the test advance.
@Suite("Load reports of a server")
struct LoadReportTests {
    /// Works for 10 ms, or fails.
    struct Work: RPCService {
        static let serviceName = "test.Work"
        let clock: ManualTimeSource?

        init(clock: ManualTimeSource? = nil) { self.clock = clock }

        private func serve(_ request: Text, _ call: RPCController) throws -> Text {
            clock?.advance(by: .milliseconds(10))
            switch request.value {
            case "fail": throw RPCError(.internal, "broken")
            case "mistake": throw RPCError(.invalidArgument, "the caller's")
            case "metadata": call.replyMetadata["x-a"] = "1"
            default: break
            }
            return request
        }

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(
                RPCMethod<Text, Text>(service: Self.serviceName, name: "now"),
                synchronous: { try self.serve($0, $1) })
            try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "later")) {
                try self.serve($0, $1)
            }
        }
    }

    /// The err_info of the replies of a server.
    final class Replies {
        let server: DrivenServer
        let clock: ManualTimeSource
        let method: String
        private var seen = 0

        init(_ server: DrivenServer, method: String) {
            self.server = server
            clock = server.loop.clock
            self.method = method
        }

        func call(_ text: String = "", block: String = "rkm1\n") throws -> String {
            let kit = FrameKit()
            server.caller.send(
                try kit.frame(
                    id: "1", "test.Work.\(method)", info: block, payload: try kit.text(text)))
            server.loop.tickUntilIdle()
            let answers = try kit.parseAll(server.caller.bytes)
            defer { seen = answers.count }
            return answers.dropFirst(seen).map(\.info).joined()
        }
    }

    func withServer(
        _ load: ServerLoad?, _ method: String, _ body: (Replies) throws -> Void
    ) throws {
        try DrivenServer.with(load: load) {
            Work(clock: $0.time as? ManualTimeSource)
        } _: {
            server, _ in
            try body(Replies(server, method: method))
        }
    }

    @Test(
        "A reply reports the share of time in which the loop worked, at most each 100 ms",
        arguments: ["now", "later"])
    func interval(_ method: String) throws {
        try withServer(ServerLoad(loops: 1), method) { replies throws in
            #expect(try replies.call() == "rkm1\nlimit=8192\n")
            for _ in 0..<4 { #expect(try replies.call() == "") }
            // 50 ms of work, 49 of waiting.
            replies.clock.advance(by: .milliseconds(49))
            #expect(try replies.call() == "")
            // 60 ms of work, 140 ms of waiting; six calls were answered.
            replies.clock.advance(by: .milliseconds(91))
            #expect(try replies.call() == "rkm1\nload=0.3%2030%200\n")
            replies.clock.advance(by: .milliseconds(89))
            #expect(try replies.call() == "")
            // 20 ms of work and two calls in 110 ms.
            replies.clock.advance(by: .milliseconds(1))
            #expect(try replies.call() == "rkm1\nload=0.181818%2018.181818%200\n")
        }
    }

    @Test("Errors that say something of the server are counted, and have no report")
    func errors() throws {
        try withServer(ServerLoad(loops: 1), "later") { replies throws in
            _ = try replies.call()
            #expect(try replies.call("fail") == "broken")
            #expect(try replies.call("mistake") == "the caller's")
            replies.clock.advance(by: .milliseconds(70))
            #expect(try replies.call("fail") == "broken")
            replies.clock.advance(by: .milliseconds(90))
            #expect(try replies.call() == "rkm1\nload=0.2%2020%2010\n")
        }
    }

    @Test("The load is sent together with a handler's metadata, and with the limit")
    func metadata() throws {
        try withServer(ServerLoad(loops: 4), "now") { replies throws in
            #expect(try replies.call(block: "") == "")
            replies.clock.advance(by: .milliseconds(90))
            #expect(try replies.call() == "rkm1\nlimit=8192\nload=0.1%2040%200\n")
            replies.clock.advance(by: .milliseconds(90))
            #expect(try replies.call("metadata") == "rkm1\nx-a=1\nload=0.1%2040%200\n")
        }
    }

    @Test("Peers that have sent no block get no report")
    func unknownPeer() throws {
        try withServer(ServerLoad(loops: 1), "now") { replies throws in
            for _ in 0..<5 {
                replies.clock.advance(by: .milliseconds(200))
                #expect(try replies.call(block: "") == "")
            }
        }
    }

    @Test("A server that does not report sends no line")
    func off() throws {
        try withServer(nil, "now") { replies throws in
            #expect(try replies.call() == "rkm1\nlimit=8192\n")
            replies.clock.advance(by: .milliseconds(200))
            #expect(try replies.call() == "")
        }
    }

    @Test("The application's utilization takes the place of the measured one")
    func ownUtilization() throws {
        let load = ServerLoad(loops: 1)
        try withServer(load, "now") { replies throws in
            _ = try replies.call()
            load.utilization = 0.875
            replies.clock.advance(by: .milliseconds(90))
            #expect(try replies.call() == "rkm1\nload=0.875%2010%200\n")
            load.utilization = nil
            replies.clock.advance(by: .milliseconds(90))
            #expect(try replies.call() == "rkm1\nload=0.1%2010%200\n")
        }
    }

    @Test(
        "Two connections of a loop get the same numbers; the second one does not wait for the first"
    )
    func connections() {
        var meter = LoadMeter(now: MonotonicTime(nanoseconds: 0), waited: 0)
        func measure(_ milliseconds: UInt64, waited: UInt64) -> Bool {
            meter.measure(
                now: MonotonicTime(nanoseconds: milliseconds * 1_000_000),
                waited: waited * 1_000_000, loops: 1, utilization: nil)
        }
        #expect(meter.line == nil)
        for outcome in [CallOutcome.success, .failure, .refused, .ignored] { meter.ended(outcome) }
        #expect(!measure(99, waited: 0) && meter.line == nil)
        #expect(measure(200, waited: 50))
        let line = LoadLine(utilization: 0.75, callsPerSecond: 20, errorsPerSecond: 10)
        #expect(meter.line == line)
        #expect(!measure(250, waited: 50) && meter.line == line)
        #expect(measure(300, waited: 150))
        #expect(meter.line?.utilization == 0 && meter.line?.callsPerSecond == 0)
    }

    @Test("A server has what its application reports, if it reports at all")
    func server() throws {
        var configuration = RPCServerConfiguration(tcp: .init(listen: []))
        let silent = try RPCServer(configuration: configuration, services: [])
        silent.reportedUtilization = 1
        #expect(silent.reportedUtilization == nil)
        configuration.reportsLoad = true
        let server = try RPCServer(configuration: configuration, services: [])
        #expect(server.reportedUtilization == nil)
        server.reportedUtilization = 0.5
        #expect(server.reportedUtilization == 0.5)
    }
}
