import Foundation
import RocketBase
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@_spi(Transport) @testable import RocketRPC

/// Streams of a server as its peer sees them, frame by frame; the test is the peer.
@Suite("Streams of a server on the wire")
struct ServerStreamTests {
    let wire = StreamScene()
    var service: StreamService { wire.service }
    var kit: FrameKit { wire.kit }

    // MARK: Order and form

    @Test("A stream of requests: credit first, then the response, however the bytes are split")
    func requests() throws {
        try wire.with { scene, client in
            let frames =
                try wire.open("sum", kind: "c") + wire.data(wire.number(1))
                + wire.data(wire.number(300)) + wire.data([]) + wire.end()
            for byte in frames { client.send([byte]) }
            let answers = try client.answers()
            #expect(answers.map(\.method) == ["rocket.window", "\(StreamScene.name).sum"])
            #expect(answers.ids == ["1", "1"] && StreamScene.limit(answers[0]) == 262_144)
            #expect(try Number(serializedBytes: answers[1].payload).value == 301)
            #expect(client.connection.streams?.count == 0)
        }
    }

    @Test("A stream of responses: headers, data, the end, and no window")
    func responses() throws {
        try wire.with { scene, client in
            client.send(try wire.open("count", kind: "s", wire.number(2)))
            let answers = try client.answers()
            #expect(
                answers.map(\.method) == [
                    "rocket.headers", "rocket.data", "rocket.data", "\(StreamScene.name).count",
                ])
            #expect(answers[0].info.contains("x-first=headers") && answers[3].payload.isEmpty)
            #expect(answers[1].payload == (try wire.number(1)) && answers[1].info.isEmpty)
        }
    }

    @Test("Not a byte is sent beyond the credit, and the rest when there is more")
    func credit() throws {
        try wire.with { scene, client in
            client.send(try wire.open("flood", kind: "s", window: "3", wire.number(5000)))
            func part() throws -> [FrameKit.Answer] {
                try client.answers().filter { $0.method == "rocket.data" }
            }
            let first = try part()
            #expect(first.map(\.payload.count) == [3] && first.map(\.info) == ["more"])
            client.send(try wire.window(2))
            client.send(try wire.window(3))
            #expect(try part().isEmpty)
            client.send(try wire.window(4))
            #expect(try part().map(\.payload.count) == [1])
            client.send(try wire.window(5003))
            #expect(try part().map(\.info) == [""])
            client.send(try wire.window(.max))
            // All that the connection may carry, which no window frame of the stream changes.
            #expect(try part().reduce(0) { $0 + $1.payload.count } == (1 << 20) - 5003)
            client.send(try wire.window((1 << 20) + 7, id: ""))
            #expect(try part().reduce(0) { $0 + $1.payload.count } == 7)
            client.send(try kit.frame(id: "1", "rocket.cancel"))
            #expect(try part().isEmpty && client.connection.streams?.count == 0)
        }
    }

    @Test(
        "Without a window, or with an invalid one, the server waits for credit",
        arguments: ["", "window=0\n", "window=-1\n", "window=18446744073709551616\n", "window=x\n"])
    func noWindow(_ line: String) throws {
        try wire.with { scene, client in
            client.send(
                try kit.frame(
                    id: "1", "\(StreamScene.name).count", info: "rkm1\nstream=s\n\(line)",
                    payload: wire.number(1)))
            #expect(try client.answers().isEmpty)
            client.send(try wire.window(.max))
            #expect(try client.answers().count == 3)
        }
    }

    @Test("Streams take turns of 16 KiB, behind the replies of the tick")
    func turns() throws {
        try wire.with { scene, client in
            for id in ["a", "b", "c"] {
                client.send(
                    try wire.open("flood", id: id, kind: "s", window: "0", wire.number(40_000)))
            }
            _ = try client.answers()
            client.send(
                try ["a", "b", "c"].flatMap { try wire.window(30_000, id: $0) }
                    + kit.frame(id: "u", payload: kit.text("x")))
            let answers = try client.answers().filter { $0.method != "rocket.headers" }
            #expect(answers.ids == ["u", "a", "b", "c", "a", "b", "c"])
            #expect(
                answers[1...].map(\.payload.count) == [16384, 16384, 16384, 13616, 13616, 13616])
            for id in ["a", "b", "c"] { client.send(try kit.frame(id: id, "rocket.cancel")) }
        }
    }

    // MARK: Peers that break the rules

    @Test("The window of a stream is taken to its last byte, and one more closes the connection")
    func streamWindow() throws {
        try wire.with({ $0.streams.windowBytes = 1024 }) { scene, client in
            client.send(
                try wire.open("hold", kind: "c") + wire.data([UInt8](repeating: 0, count: 1024)))
            #expect(client.peer.closing == nil)
            client.send(try wire.data([], info: "more"))
            #expect(client.peer.closing?.description.contains("bad frame") == true)
        }
    }

    @Test("The window of a connection is taken to its last byte, over all of its streams")
    func connectionWindow() throws {
        try wire.with { scene, client in
            for id in 0..<5 { client.send(try wire.open("hold", id: "\(id)", kind: "c")) }
            let part = [UInt8](repeating: 0, count: 65_536)
            for id in 0..<4 {
                for _ in 0..<4 { client.send(try wire.data(part, id: "\(id)", info: "more")) }
            }
            #expect(client.peer.closing == nil)
            client.send(try wire.data([1], id: "4"))
            #expect(client.peer.closing != nil)
        }
    }

    @Test("A larger window of the connection is announced when its first stream opens")
    func largerConnectionWindow() throws {
        try wire.with({ $0.streams.connectionWindowBytes = 4 << 20 }) { scene, client in
            client.send(try wire.open("hold", kind: "c") + wire.open("hold", id: "2", kind: "c"))
            let answers = try client.answers()
            #expect(answers.ids == ["", "1", "2"] && StreamScene.limit(answers[0]) == 4 << 20)
        }
    }

    @Test("Frames of calls without a stream are dropped, and data gives its credit back")
    func dropped() throws {
        try wire.with { scene, client in
            // Before any stream, and for a call that has none.
            client.send(
                try wire.data([1]) + wire.end() + wire.window(7)
                    + kit.frame(id: "1", "rocket.headers")
                    + kit.frame(id: "u", "test.v1.Test.echo", payload: kit.text("x"))
                    + wire.data([1, 2], id: "u"))
            #expect(try client.answers().ids == ["u"])
            client.send(try wire.open("early", kind: "c"))
            #expect(try client.answers().count == 2)
            let part = [UInt8](repeating: 0, count: 65_536)
            for _ in 0..<100 { client.send(try wire.data(part)) }
            client.send(try wire.end() + wire.window(9) + kit.frame(id: "1", "rocket.headers"))
            #expect(client.peer.closing == nil && client.peer.handlerBytes == 0)
            let answers = try client.answers()
            #expect(answers.allSatisfy { $0.id.isEmpty && $0.method == "rocket.window" })
            #expect(answers.count == 12 && StreamScene.limit(answers[11]) >= 100 * 65_536)
        }
    }

    @Test("Requests that a handler does not read give their credit back when it returns")
    func unread() throws {
        try wire.with { scene, client in
            let part = [UInt8](repeating: 0, count: 65_536)
            for id in 0..<40 {
                client.send(try wire.open("hold", id: "\(id)", kind: "c"))
                for _ in 0..<4 { client.send(try wire.data(part, id: "\(id)", info: "more")) }
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
        try wire.with { scene, client in
            client.send(
                try wire.open("hold", kind: "c")
                    + kit.frame(
                        id: "1", "rocket.window", payload: [UInt8](repeating: 0, count: count)))
            #expect(client.peer.closing != nil)
        }
    }

    @Test("A flood of window frames changes nothing but the limit")
    func windowFlood() throws {
        try wire.with { scene, client in
            client.send(try wire.open("flood", kind: "s", window: "0", wire.number(10)))
            for limit: UInt64 in 0..<2000 { client.send(try wire.window(limit % 24)) }
            #expect(try client.answers().reduce(0) { $0 + $1.payload.count } == 23)
            client.send(try kit.frame(id: "1", "rocket.cancel"))
        }
    }

    @Test("A message without an end is as large as a request may be, and fails its call only")
    func endless() throws {
        try wire.with({ $0.defaults.maxRequestBytes = 100_000 }) { scene, client in
            client.send(try wire.open("sum", kind: "c") + wire.open("sum", id: "2", kind: "c"))
            _ = try client.answers()
            let part = [UInt8](repeating: 0, count: 50_000)
            client.send(try wire.data(part, info: "more") + wire.data(part, info: "more"))
            // The consumer waits for it, so it does not count against the window, but as memory.
            #expect(client.peer.handlerBytes >= 100_000 - (16 << 10))
            client.send(try wire.data([0], info: "more"))
            let answer = try #require(
                try client.answers().first { $0.id == "1" && $0.code.rawValue != 0 })
            #expect(answer.code == .resourceExhausted)
            #expect(client.peer.closing == nil && client.peer.handlerBytes == 0)
            client.send(try wire.data(wire.number(4), id: "2") + wire.end(id: "2"))
            #expect(try client.answers().map(\.code.rawValue).last == 0)
        }
    }

    @Test("Empty messages count as the memory that they take")
    func emptyMessages() throws {
        try wire.with { scene, client in
            client.send(try wire.open("hold", kind: "c"))
            let frame = try wire.data([])
            for _ in 0..<100 {
                client.send([UInt8]([[UInt8]](repeating: frame, count: 100).joined()))
            }
            #expect(client.peer.handlerBytes >= 9 * 10_000 - (16 << 10))
            service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(client.peer.handlerBytes == 0)
            client.send(try wire.end())
            #expect(try client.answers().last?.code == .success)
        }
    }

    @Test("A data frame over the frame limit fails its stream, and its credit is given back")
    func oversized() throws {
        try wire.with(codec: .init(maxFrameBytes: 2000)) { scene, client in
            for round in 0..<600 {
                client.send(
                    try wire.open("sum", kind: "c") + wire.data([UInt8](repeating: 0, count: 3000)))
                let answers = try client.answers().filter { !$0.id.isEmpty }
                #expect(answers.count == 2 && answers.last?.code == .resourceExhausted, "\(round)")
                // What was on its way when the call failed.
                client.send(try wire.data([UInt8](repeating: 0, count: 3000), info: "more"))
            }
            #expect(client.peer.closing == nil && client.connection.streams?.count == 0)
        }
    }

    @Test("The task that reads what fails a stream is no task with a suspended handler")
    func failedByReader() throws {
        let suspending = SuspendingService()
        suspending.gate.open()
        try wire.with({ $0.defaults.maxRequestBytes = 10 }, services: [suspending]) { _, client in
            client.send(try wire.open("sum", kind: "c"))
            _ = try client.answers()
            // Read by the task that has served the call before.
            let call = try kit.frame(id: "2", "test.Suspending.wait", payload: [])
            client.send(try call + wire.data([UInt8](repeating: 0, count: 11)))
            #expect(try client.answers().codes == [.success, .resourceExhausted])
            // The end of the connection cancels the tasks that are listed there, and all calls that
            // they serve later.
            #expect(client.connection.suspended.tasks.isEmpty)
        }
    }

    @Test("A call with the id of a stream is not taken for it")
    func sameID() throws {
        let suspending = SuspendingService()
        try wire.with({ $0.defaults.maxRequestBytes = 10 }, services: [suspending]) {
            scene, client in
            client.send(
                try wire.open("sum", kind: "c")
                    + kit.frame(id: "1", "test.Suspending.wait", payload: []))
            _ = try client.answers()
            client.send(try wire.data([UInt8](repeating: 0, count: 11)))
            let answers = try client.answers()
            #expect(answers.map(\.method) == ["\(StreamScene.name).sum"])
            suspending.gate.open()
            scene.loop.tickUntilIdle()
            #expect(try client.answers().codes == [.success])
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
