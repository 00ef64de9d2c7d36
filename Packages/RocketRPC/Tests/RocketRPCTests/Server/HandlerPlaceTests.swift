import RocketReactor
import RocketReactorTestKit
import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// Where handlers run, and when: on their connection's loop, in the tick that receives the request.
@Suite("Where handlers run")
struct HandlerPlaceTests {
    /// Records for each handler whether it runs on the loop, and in which tick.
    final class Noting: RPCService {
        static let serviceName = "test.Noting"
        static let echo = RPCMethod<Text, Text>(service: serviceName, name: "echo")
        static let hold = RPCMethod<Text, Text>(service: serviceName, name: "hold")

        struct Note: Hashable, Sendable {
            let isInLoop: Bool
            let tick: Int
        }

        let loop: EventLoop
        let gate = Gate()
        let tick = Locked(0)
        let notes = Locked<[Note]>([])

        init(loop: EventLoop) { self.loop = loop }

        func note() {
            let note = Note(isInLoop: loop.isInLoop, tick: tick.withLock { $0 })
            notes.withLock { $0.append(note) }
        }

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.echo) { [self] request, _ in
                note()
                return request
            }
            try registry.add(Self.hold) { [self] request, _ in
                note()
                await gate.wait()
                note()
                return request
            }
        }
    }

    let kit = FrameKit()

    func withServer(_ body: (DrivenServer, Noting, () -> Void) throws -> Void) throws {
        try DrivenServer.with { loop in
            Noting(loop: loop)
        } _: { server, service in
            try body(server, service) {
                service.tick.withLock { $0 += 1 }
                server.loop.tick()
            }
        }
    }

    @Test("Handlers that don't suspend run on the loop, in the tick that receives their requests")
    func withoutSuspension() throws {
        try withServer { server, service, tick in
            for number in 0..<100 {
                server.caller.send(try kit.frame(id: "\(number)", "test.Noting.echo"))
            }
            // The first tick transfers the requests, the second serves them and sends the replies.
            for _ in 0..<2 { tick() }
            let ids = try kit.parseAll(server.caller.bytes).map(\.id)
            #expect(ids == (0..<100).map(String.init))
            let notes = service.notes.withLock { $0 }
            #expect(notes.count == 100 && Set(notes).count == 1)
            #expect(notes.first?.isInLoop == true)
        }
    }

    @Test("A suspended handler does not delay others of its tick, and resumes on the loop")
    func withSuspension() throws {
        try withServer { server, service, tick in
            for id in ["1", "held", "2"] {
                let name = id == "held" ? "hold" : "echo"
                server.caller.send(try kit.frame(id: id, "test.Noting.\(name)"))
            }
            for _ in 0..<2 { tick() }
            #expect(try kit.parseAll(server.caller.bytes).map(\.id) == ["1", "2"])
            service.gate.open()
            for _ in 0..<2 { tick() }
            #expect(try kit.parseAll(server.caller.bytes).map(\.id) == ["1", "2", "held"])
            let notes = service.notes.withLock { $0 }
            #expect(notes.count == 4 && notes.allSatisfy(\.isInLoop))
            #expect(Set(notes.prefix(3).map(\.tick)).count == 1)
        }
    }
}
