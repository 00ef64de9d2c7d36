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

/// How streams of a server end, as its peer sees it; the test is the peer.
@Suite("Ends of the streams of a server")
struct ServerStreamEndTests {
    let wire = StreamScene()
    var service: StreamService { wire.service }
    var kit: FrameKit { wire.kit }

    @Test("A stream without messages ends after the idle time, and each message begins it again")
    func idle() throws {
        try wire.with({ $0.streams.idleTimeout = .seconds(8) }) { scene, client in
            client.send(try wire.open("sum", kind: "c"))
            _ = try client.answers()
            for _ in 0..<10 {
                scene.loop.tick(after: .seconds(6))
                client.send(try wire.data(wire.number(1)))
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
        try wire.with { scene, client in
            let timeout = "timeout-ms=50\n"
            switch phase {
            case .reading: client.send(try wire.open("sum", kind: "c", more: timeout))
            case .writing:
                client.send(
                    try wire.open("flood", kind: "s", window: "9", wire.number(100), more: timeout))
            case .handlerHasReturned:
                client.send(
                    try wire.open("count", kind: "s", window: "1", wire.number(1), more: timeout))
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
        try wire.with(services: [leaving]) { scene, client in
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
        try wire.with { scene, client in
            client.send(
                try wire.open("sum", kind: "c") + wire.data(wire.number(1))
                    + wire.open("sum", id: "2", kind: "c")
                    + wire.data(wire.number(2), id: "2") + wire.end(id: "2")
                    + wire.open("count", id: "3", kind: "s", wire.number(1)))
            client.finish()
            let answers = try client.answers().filter { $0.method.hasPrefix(StreamScene.name) }
            #expect(Set(answers.ids) == ["1", "2", "3"])
            #expect(answers.first { $0.id == "1" }?.code == .peerClosed)
            #expect(answers.filter { $0.code == .success }.count == 2)
            #expect(client.peer.closing != nil)
        }
    }

    @Test("A request stream that ends within a message is invalid")
    func endsWithin() throws {
        try wire.with { scene, client in
            client.send(try wire.open("sum", kind: "c") + wire.data([8], info: "more") + wire.end())
            #expect(try client.answers().last?.code == .failedDecode)
        }
    }

    @Test("Messages behind the end are dropped")
    func behindTheEnd() throws {
        try wire.with { scene, client in
            client.send(
                try wire.open("hold", kind: "c") + wire.data(wire.bytes(200)) + wire.end()
                    + wire.data(wire.bytes(300)) + wire.end())
            service.gate.open()
            scene.loop.tickUntilIdle()
            let answer = try #require(try client.answers().last)
            #expect(try Number(serializedBytes: answer.payload).value == 197)
        }
    }

    @Test("A drain lets open streams end, and refuses further ones")
    func drain() throws {
        try wire.with { scene, client in
            client.send(try wire.open("sum", kind: "c") + wire.data(wire.number(20)))
            client.drain()
            client.send(
                try wire.open("sum", id: "2", kind: "c") + wire.data(wire.number(22)) + wire.end())
            let answers = try client.answers()
            #expect(answers.contains { $0.method == "rocket.goaway" })
            #expect(answers.first { $0.id == "2" }?.code == .unavailable)
            let last = try #require(answers.last { $0.id == "1" })
            #expect(try Number(serializedBytes: last.payload).value == 42)
        }
    }

    @Test("A reset ends the streams of the connection, and nothing of them is left")
    func reset() throws {
        try wire.with { scene, client in
            client.send(
                try wire.open("sum", kind: "c") + wire.data([1, 2], info: "more")
                    + wire.open("flood", id: "2", kind: "s", window: "9", wire.number(10)))
            client.reset()
            #expect(client.connection.streams?.count == 0 && client.connection.callsInFlight == 0)
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
        try registry.add(bidirectional: method) { [self] requests, responses, _ in
            let loop = loop.withLock { $0 }
            let tasks = [
                Task(executorPreference: loop) { [self] in
                    do { for try await _ in requests {} } catch { add(error) }
                },
                Task(executorPreference: loop) { [self] in
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
