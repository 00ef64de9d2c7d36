import Foundation
import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@_spi(Transport) @testable import RocketRPC

/// Streams of a server as its peer sees them, frame by frame; the test is the peer.
@Suite("Streams of a server on the wire")
struct ServerStreamTests {
    static let name = StreamService.serviceName
    let service = StreamService()
    let kit = FrameKit()

    func with(
        _ configure: (inout RPCCallLimits) -> Void = { _ in }, codec: TinyPBCodec = .init(),
        services: [any RPCService] = [], _ body: (ServerScene, ServerScene.Client) throws -> Void
    ) throws {
        var limits = RPCCallLimits()
        configure(&limits)
        try ServerScene.with(
            [service, TestService()] + services, limits: limits, codec: codec
        ) { scene, clients in
            try body(scene, clients[0])
            service.gate.open()
            scene.loop.tickUntilIdle()
        }
    }

    func open(
        _ method: String, id: String = "1", kind: String, window: String = "1000000",
        _ payload: [UInt8] = [], more: String = ""
    ) throws -> [UInt8] {
        try kit.frame(
            id: id, "\(Self.name).\(method)",
            info: "rkm1\nstream=\(kind)\nwindow=\(window)\n\(more)",
            payload: payload)
    }

    func data(_ payload: [UInt8], id: String = "1", info: String = "") throws -> [UInt8] {
        try kit.frame(id: id, "rocket.data", info: info, payload: payload)
    }

    func end(id: String = "1") throws -> [UInt8] { try data([], id: id, info: "end") }

    func window(_ limit: UInt64, id: String = "1") throws -> [UInt8] {
        let bytes = (0..<8).reversed().map { UInt8(truncatingIfNeeded: limit >> (8 * $0)) }
        return try kit.frame(id: id, "rocket.window", payload: bytes)
    }

    func number(_ value: Int64) throws -> [UInt8] { try Number(value).serializedBytes() }

    /// A `Bytes` whose serialized form has that many bytes, more than 130.
    func bytes(_ count: Int) throws -> [UInt8] {
        let overhead = count < 16_390 ? 3 : count < 2_097_160 ? 4 : 5
        let bytes: [UInt8] = try Bytes(Data(count: count - overhead)).serializedBytes()
        #expect(bytes.count == count)
        return bytes
    }

    static func limit(_ answer: FrameKit.Answer) -> UInt64 {
        answer.payload.reduce(0) { $0 << 8 | UInt64($1) }
    }

    // MARK: Order and form

    @Test("A stream of requests: credit first, then the response, however the bytes are split")
    func requests() throws {
        try with { scene, client in
            let frames =
                try open("sum", kind: "c") + data(number(1)) + data(number(300)) + data([]) + end()
            for byte in frames { client.send([byte]) }
            let answers = try client.answers()
            #expect(answers.map(\.method) == ["rocket.window", "\(Self.name).sum"])
            #expect(answers.ids == ["1", "1"] && Self.limit(answers[0]) == 262_144)
            #expect(try Number(serializedBytes: answers[1].payload).value == 301)
            #expect(client.connection.streams?.count == 0)
        }
    }

    @Test("A stream of responses: headers, data, the end, and no window")
    func responses() throws {
        try with { scene, client in
            client.send(try open("count", kind: "s", number(2)))
            let answers = try client.answers()
            #expect(
                answers.map(\.method) == [
                    "rocket.headers", "rocket.data", "rocket.data", "\(Self.name).count",
                ])
            #expect(answers[0].info.contains("x-first=headers") && answers[3].payload.isEmpty)
            #expect(answers[1].payload == (try number(1)) && answers[1].info.isEmpty)
        }
    }

    @Test("Not a byte is sent beyond the credit, and the rest when there is more")
    func credit() throws {
        try with { scene, client in
            client.send(try open("flood", kind: "s", window: "3", number(5000)))
            func part() throws -> [FrameKit.Answer] { try client.answers() }
            let first = try part()
            #expect(first.map(\.payload.count) == [3] && first.map(\.info) == ["more"])
            client.send(try window(2))
            client.send(try window(3))
            #expect(try part().isEmpty)
            client.send(try window(4))
            #expect(try part().map(\.payload.count) == [1])
            client.send(try window(5003))
            #expect(try part().map(\.info) == [""])
            client.send(try window(.max))
            // All that the connection may carry, which no window frame of the stream changes.
            #expect(try part().reduce(0) { $0 + $1.payload.count } == (1 << 20) - 5003)
            client.send(try window((1 << 20) + 7, id: ""))
            #expect(try part().reduce(0) { $0 + $1.payload.count } == 7)
            client.send(try kit.frame(id: "1", "rocket.cancel"))
            #expect(try part().isEmpty && client.connection.streams?.count == 0)
        }
    }

    @Test(
        "Without a window, or with an invalid one, the server waits for credit",
        arguments: ["", "window=0\n", "window=-1\n", "window=18446744073709551616\n", "window=x\n"])
    func noWindow(_ line: String) throws {
        try with { scene, client in
            client.send(
                try kit.frame(
                    id: "1", "\(Self.name).count", info: "rkm1\nstream=s\n\(line)",
                    payload: number(1)))
            #expect(try client.answers().isEmpty)
            client.send(try window(.max))
            #expect(try client.answers().count == 3)
        }
    }

    @Test("Streams take turns of 16 KiB, behind the replies of the tick")
    func turns() throws {
        try with { scene, client in
            for id in ["a", "b", "c"] {
                client.send(try open("flood", id: id, kind: "s", window: "0", number(40_000)))
            }
            _ = try client.answers()
            client.send(
                try ["a", "b", "c"].flatMap { try window(30_000, id: $0) }
                    + kit.frame(id: "u", payload: kit.text("x")))
            let answers = try client.answers()
            #expect(answers.ids == ["u", "a", "b", "c", "a", "b", "c"])
            #expect(
                answers[1...].map(\.payload.count) == [16384, 16384, 16384, 13616, 13616, 13616])
            for id in ["a", "b", "c"] { client.send(try kit.frame(id: id, "rocket.cancel")) }
        }
    }

    // MARK: Peers that break the rules

    @Test("The window of a stream is taken to its last byte, and one more closes the connection")
    func streamWindow() throws {
        try with({ $0.streams.windowBytes = 1024 }) { scene, client in
            client.send(try open("hold", kind: "c") + data([UInt8](repeating: 0, count: 1024)))
            #expect(client.peer.closing == nil)
            client.send(try data([], info: "more"))
            #expect(client.peer.closing?.description.contains("bad frame") == true)
        }
    }

    @Test("The window of a connection is taken to its last byte, over all of its streams")
    func connectionWindow() throws {
        try with { scene, client in
            for id in 0..<5 { client.send(try open("hold", id: "\(id)", kind: "c")) }
            let part = [UInt8](repeating: 0, count: 65_536)
            for id in 0..<4 {
                for _ in 0..<4 { client.send(try data(part, id: "\(id)", info: "more")) }
            }
            #expect(client.peer.closing == nil)
            client.send(try data([1], id: "4"))
            #expect(client.peer.closing != nil)
        }
    }

    @Test("A larger window of the connection is announced when its first stream opens")
    func largerConnectionWindow() throws {
        try with({ $0.streams.connectionWindowBytes = 4 << 20 }) { scene, client in
            client.send(try open("hold", kind: "c") + open("hold", id: "2", kind: "c"))
            let answers = try client.answers()
            #expect(answers.ids == ["", "1", "2"] && Self.limit(answers[0]) == 4 << 20)
        }
    }

    @Test("Frames of calls without a stream are dropped, and data gives its credit back")
    func dropped() throws {
        try with { scene, client in
            // Before any stream, and for a call that has none.
            client.send(
                try data([1]) + end() + window(7) + kit.frame(id: "1", "rocket.headers")
                    + kit.frame(id: "u", "test.v1.Test.echo", payload: kit.text("x"))
                    + data([1, 2], id: "u"))
            #expect(try client.answers().ids == ["u"])
            client.send(try open("early", kind: "c"))
            #expect(try client.answers().count == 2)
            let part = [UInt8](repeating: 0, count: 65_536)
            for _ in 0..<100 { client.send(try data(part)) }
            client.send(try end() + window(9) + kit.frame(id: "1", "rocket.headers"))
            #expect(client.peer.closing == nil && client.peer.handlerBytes == 0)
            let answers = try client.answers()
            #expect(answers.allSatisfy { $0.id.isEmpty && $0.method == "rocket.window" })
            #expect(answers.count == 12 && Self.limit(answers[11]) >= 100 * 65_536)
        }
    }

    @Test("Requests that a handler does not read give their credit back when it returns")
    func unread() throws {
        try with { scene, client in
            let part = [UInt8](repeating: 0, count: 65_536)
            for id in 0..<40 {
                client.send(try open("hold", id: "\(id)", kind: "c"))
                for _ in 0..<4 { client.send(try data(part, id: "\(id)", info: "more")) }
                client.send(try kit.frame(id: "\(id)", "rocket.cancel"))
                service.gate.open()
                scene.loop.tickUntilIdle()
            }
            #expect(client.peer.closing == nil && client.peer.handlerBytes == 0)
            #expect(client.connection.streams?.count == 0)
        }
    }

    @Test("A window frame has eight bytes", arguments: [0, 7, 9])
    func windowLength(_ count: Int) throws {
        try with { scene, client in
            client.send(
                try open("hold", kind: "c")
                    + kit.frame(
                        id: "1", "rocket.window", payload: [UInt8](repeating: 0, count: count)))
            #expect(client.peer.closing != nil)
        }
    }

    @Test("A flood of window frames changes nothing but the limit")
    func windowFlood() throws {
        try with { scene, client in
            client.send(try open("flood", kind: "s", window: "0", number(10)))
            for limit: UInt64 in 0..<2000 { client.send(try window(limit % 24)) }
            #expect(try client.answers().reduce(0) { $0 + $1.payload.count } == 23)
            client.send(try kit.frame(id: "1", "rocket.cancel"))
        }
    }

    @Test("A message without an end is as large as a request may be, and fails its call only")
    func endless() throws {
        try with({ $0.defaults.maxRequestBytes = 100_000 }) { scene, client in
            client.send(try open("sum", kind: "c") + open("sum", id: "2", kind: "c"))
            _ = try client.answers()
            let part = [UInt8](repeating: 0, count: 50_000)
            client.send(try data(part, info: "more") + data(part, info: "more"))
            // The consumer waits for it, so it does not count against the window, but as memory.
            #expect(client.peer.handlerBytes >= 100_000 - (16 << 10))
            client.send(try data([0], info: "more"))
            let answer = try #require(
                try client.answers().first { $0.id == "1" && $0.code.rawValue != 0 })
            #expect(answer.code == .resourceExhausted)
            #expect(client.peer.closing == nil && client.peer.handlerBytes == 0)
            client.send(try data(number(4), id: "2") + end(id: "2"))
            #expect(try client.answers().map(\.code.rawValue).last == 0)
        }
    }

    @Test("Empty messages count as the memory that they take")
    func emptyMessages() throws {
        try with { scene, client in
            client.send(try open("hold", kind: "c"))
            let frame = try data([])
            for _ in 0..<100 {
                client.send([UInt8]([[UInt8]](repeating: frame, count: 100).joined()))
            }
            #expect(client.peer.handlerBytes >= 9 * 10_000 - (16 << 10))
            service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(client.peer.handlerBytes == 0)
            client.send(try end())
            #expect(try client.answers().last?.code == .success)
        }
    }

    @Test("A data frame over the frame limit fails its stream, and its credit is given back")
    func oversized() throws {
        try with(codec: .init(maxFrameBytes: 2000)) { scene, client in
            for round in 0..<600 {
                client.send(try open("sum", kind: "c") + data([UInt8](repeating: 0, count: 3000)))
                let answers = try client.answers().filter { !$0.id.isEmpty }
                #expect(answers.count == 2 && answers.last?.code == .resourceExhausted, "\(round)")
                // What was on its way when the call failed.
                client.send(try data([UInt8](repeating: 0, count: 3000), info: "more"))
            }
            #expect(client.peer.closing == nil && client.connection.streams?.count == 0)
        }
    }

    @Test("A call with the id of a stream is not taken for it")
    func sameID() throws {
        let suspending = SuspendingService()
        try with({ $0.defaults.maxRequestBytes = 10 }, services: [suspending]) { scene, client in
            client.send(
                try open("sum", kind: "c")
                    + kit.frame(id: "1", "test.Suspending.wait", payload: []))
            _ = try client.answers()
            client.send(try data([UInt8](repeating: 0, count: 11)))
            let answers = try client.answers()
            #expect(answers.map(\.method) == ["\(Self.name).sum"])
            suspending.gate.open()
            scene.loop.tickUntilIdle()
            #expect(try client.answers().codes == [.success])
        }
    }

    // MARK: Ends

    @Test("A stream without messages ends after the idle time, and each message begins it again")
    func idle() throws {
        try with({ $0.streams.idleTimeout = .seconds(8) }) { scene, client in
            client.send(try open("sum", kind: "c"))
            _ = try client.answers()
            for _ in 0..<10 {
                scene.loop.tick(after: .seconds(6))
                client.send(try data(number(1)))
            }
            #expect(try client.answers().isEmpty)
            for _ in 0..<4 {
                scene.loop.tick(after: .seconds(2))
                scene.loop.tickUntilIdle()
            }
            scene.loop.tick(after: .seconds(2))
            scene.loop.tickUntilIdle()
            #expect(try client.answers().codes == [.callTimeout])
            #expect(client.connection.streams?.count == 0)
        }
    }

    enum Phase: CaseIterable { case reading, writing, handlerHasReturned }

    @Test("A deadline ends a stream in each phase", arguments: Phase.allCases)
    func deadline(_ phase: Phase) throws {
        try with { scene, client in
            let timeout = "timeout-ms=50\n"
            switch phase {
            case .reading: client.send(try open("sum", kind: "c", more: timeout))
            case .writing:
                client.send(
                    try open("flood", kind: "s", window: "9", number(100), more: timeout))
            case .handlerHasReturned:
                client.send(try open("count", kind: "s", window: "1", number(1), more: timeout))
            }
            _ = try client.answers()
            scene.loop.tick(after: .milliseconds(50))
            scene.loop.tickUntilIdle()
            #expect(try client.answers().codes == [.callTimeout])
            #expect(client.connection.streams?.count == 0 && client.peer.handlerBytes == 0)
            #expect(client.connection.callsInFlight == 0)
        }
    }

    @Test("What a handler leaves behind can neither write nor keep the call open")
    func leftBehind() throws {
        let leaving = LeavingService()
        try with(services: [leaving]) { scene, client in
            leaving.loop.withLock { $0 = scene.loop.loop }
            client.send(
                try kit.frame(
                    id: "1", "test.Leaving.leave", info: "rkm1\nstream=b\nwindow=1000000\n"))
            scene.loop.tickUntilIdle()
            let answers = try client.answers()
            #expect(answers.last?.method == "test.Leaving.leave" && answers.last?.code == .success)
            #expect(leaving.ends.withLock { $0 } == ["CANCELLED", "FAILED_PRECONDITION"])
            #expect(client.connection.streams?.count == 0)
        }
    }

    @Test("A peer that sends no more ends streams of requests that have not ended")
    func halfClose() throws {
        try with { scene, client in
            client.send(
                try open("sum", kind: "c") + data(number(1)) + open("sum", id: "2", kind: "c")
                    + data(number(2), id: "2") + end(id: "2")
                    + open("count", id: "3", kind: "s", number(1)))
            client.finish()
            let answers = try client.answers().filter { $0.method.hasPrefix(Self.name) }
            #expect(Set(answers.ids) == ["1", "2", "3"])
            #expect(answers.first { $0.id == "1" }?.code == .peerClosed)
            #expect(answers.filter { $0.code == .success }.count == 2)
            #expect(client.peer.closing != nil)
        }
    }

    @Test("A request stream that ends within a message is invalid")
    func endsWithin() throws {
        try with { scene, client in
            client.send(try open("sum", kind: "c") + data([8], info: "more") + end())
            #expect(try client.answers().last?.code == .failedDecode)
        }
    }

    @Test("Messages behind the end are dropped")
    func behindTheEnd() throws {
        try with { scene, client in
            client.send(
                try open("hold", kind: "c") + data(bytes(200)) + end() + data(bytes(300)) + end())
            service.gate.open()
            scene.loop.tickUntilIdle()
            let answer = try #require(try client.answers().last)
            #expect(try Number(serializedBytes: answer.payload).value == 197)
        }
    }

    @Test("A drain lets open streams end, and refuses further ones")
    func drain() throws {
        try with { scene, client in
            client.send(try open("sum", kind: "c") + data(number(20)))
            client.drain()
            client.send(try open("sum", id: "2", kind: "c") + data(number(22)) + end())
            let answers = try client.answers()
            #expect(answers.contains { $0.method == "rocket.goaway" })
            #expect(answers.first { $0.id == "2" }?.code == .unavailable)
            let last = try #require(answers.last { $0.id == "1" })
            #expect(try Number(serializedBytes: last.payload).value == 42)
        }
    }

    @Test("A reset ends the streams of the connection, and nothing of them is left")
    func reset() throws {
        try with { scene, client in
            client.send(
                try open("sum", kind: "c") + data([1, 2], info: "more")
                    + open("flood", id: "2", kind: "s", window: "9", number(10)))
            client.reset()
            #expect(client.connection.streams?.count == 0 && client.connection.callsInFlight == 0)
        }
    }
}

/// Waits at a gate.
private struct SuspendingService: RPCService {
    static let serviceName = "test.Suspending"
    let gate = Gate()

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "wait")) {
            request, _ in
            await gate.wait()
            return request
        }
    }
}

/// Returns while tasks that it has started read and write.
private final class LeavingService: RPCService {
    static let serviceName = "test.Leaving"
    let ends = Locked<[String]>([])
    let loop = Locked<EventLoop?>(nil)

    func register(in registry: inout RPCServiceRegistry) throws {
        let method = RPCMethod<Text, Text>(
            service: Self.serviceName, name: "leave", kind: .bidirectionalStreaming)
        try registry.add(bidirectional: method) { requests, responses, _ in
            let tasks = [
                Task(executorPreference: loop.withLock { $0 }) {
                    do { for try await _ in requests {} } catch { add(error) }
                },
                Task(executorPreference: loop.withLock { $0 }) {
                    do { while true { try await responses.write(Text("on and on")) } } catch {
                        add(error)
                    }
                },
            ]
            try await responses.write(Text("first"))
            _ = tasks
            for _ in 0..<10 { await Task.yield() }
        }
    }

    private func add(_ error: any Error) {
        ends.withLock {
            $0.append((error as? RPCError)?.code.name ?? "\(error)")
            $0.sort()
        }
    }
}
