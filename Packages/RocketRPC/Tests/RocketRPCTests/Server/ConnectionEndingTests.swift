import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// How connections end while their server drains: in ticks and manual time.
@Suite("The end of a connection")
struct ConnectionEndingTests {
    let service = TestService()
    let block = "rkm1\ntimeout-ms=60000\n"

    func with(
        connections: Int = 1, _ body: (ServerScene, [ServerScene.Client]) throws -> Void
    ) throws {
        try ServerScene.with([service, RPCHealth()], connections: connections) {
            try body($0, $1)
            service.gate.open()
            $0.loop.tickUntilIdle()
        }
    }

    @Test("A peer that knows metadata is sent rocket.goaway, and is answered until it closes")
    func goAway() throws {
        try with { scene, clients in
            let client = clients[0]
            try client.call(id: "1", info: block)
            #expect(try client.answers().codes == [.success])
            client.drain()
            let goAway = FrameKit.Answer(
                id: "", method: "rocket.goaway", code: .success, info: "", payload: [])
            #expect(try client.answers() == [goAway])
            for minute in 0..<3 {
                try client.call(id: "\(minute)", info: block)
                let answers = try client.answers()
                #expect(answers.ids == ["\(minute)"] && answers.codes == [.unavailable])
                scene.loop.tick(after: .seconds(60))
                scene.loop.tickUntilIdle()
            }
            client.drain()
            #expect(try client.answers().isEmpty)
            #expect(client.peer.closing == nil)
            client.finish()
            #expect(client.peer.closing == .peerFinished)
        }
    }

    @Test("Calls in flight are answered after rocket.goaway, and the connection stays open")
    func callsInFlight() throws {
        try with { scene, clients in
            let client = clients[0]
            try client.call(
                "test.v1.Test.hold", id: "held", info: block, payload: Number(1).serializedBytes())
            client.drain()
            #expect(try client.answers().map(\.method) == ["rocket.goaway"])
            service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(try client.answers().ids == ["held"])
            #expect(client.peer.closing == nil)
            try client.call(id: "late", info: block)
            #expect(try client.answers().codes == [.unavailable])
        }
    }

    @Test("Calls that have not ended in time are answered, and the connection is closed")
    func timedOut() throws {
        try with(connections: 2) { scene, clients in
            for client in clients {
                try client.call(
                    "test.v1.Test.hold", id: "held", payload: Number(1).serializedBytes())
            }
            clients[0].drain()
            clients[0].connection.drainTimedOut(clients[0].peer)
            let answers = try clients[0].answers()
            #expect(answers.ids == ["held"] && answers.codes == [.peerClosed])
            #expect(clients[0].peer.closing == .drained)
            scene.loop.tickUntilIdle()
            #expect(clients[1].peer.closing == nil)
            #expect(try clients[1].answers().isEmpty)
        }
    }

    @Test("A peer that shows metadata only after the drain has begun is sent rocket.goaway, too")
    func lateMetadata() throws {
        try with { scene, clients in
            let client = clients[0]
            client.drain()
            try client.call(id: "1", info: block)
            let frames = try client.answers()
            #expect(frames.map(\.method).contains("rocket.goaway") && frames.ids.contains("1"))
            scene.loop.tick(after: .seconds(2))
            scene.loop.tickUntilIdle()
            #expect(client.peer.closing == nil)
        }
    }

    @Test("Another peer's call that crosses the drain is answered before the connection closes")
    func crossingCall() throws {
        try with { scene, clients in
            let client = clients[0]
            try client.call(id: "1")
            client.drain()
            #expect(try client.answers().ids == ["1"])
            scene.loop.tick(after: .milliseconds(999))
            scene.loop.tickUntilIdle()
            #expect(client.peer.closing == nil)
            try client.call(id: "2")
            #expect(try client.answers().codes == [.unavailable])
            #expect(client.peer.closing == .drained)
        }
    }

    @Test("Other peers that are silent are closed a second after the drain of each began")
    func silentPeers() throws {
        try with(connections: 2) { scene, clients in
            clients[0].drain()
            scene.loop.tick(after: .milliseconds(400))
            clients[1].drain()
            scene.loop.tick(after: .milliseconds(600))
            scene.loop.tickUntilIdle()
            #expect(clients.map(\.peer.closing) == [.drained, nil])
            scene.loop.tick(after: .milliseconds(400))
            scene.loop.tickUntilIdle()
            #expect(clients.map(\.peer.closing) == [.drained, .drained])
            let answers = try clients[0].answers()
            #expect(answers.isEmpty)
        }
    }

    @Test("A scheduler that stops waits for no silent peer")
    func stopWithSilentPeers() throws {
        try with { scene, clients in
            let timers = scene.loop.reactor.timerCount
            clients[0].drain()
            #expect(scene.loop.reactor.timerCount == timers + 1)
            scene.scheduler.stop()
            #expect(scene.loop.reactor.timerCount == timers)
        }
    }

    @Test("The end of the last call closes a draining connection in the same ticks")
    func lastCall() throws {
        try with { scene, clients in
            let client = clients[0]
            try client.call("test.v1.Test.hold", id: "held", payload: Number(1).serializedBytes())
            client.drain()
            #expect(client.peer.closing == nil)
            service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(try client.answers().ids == ["held"])
            #expect(client.peer.closing == .drained)
        }
    }

    @Test("A health check during a drain is answered")
    func healthCheck() throws {
        try with { scene, clients in
            clients[0].drain()
            try clients[0].call("rocket.Health.check", id: "check", info: block)
            #expect(try clients[0].answers().ids.contains("check"))
        }
    }

    @Test(
        "A peer that first shows metadata by a health check in a drain is sent rocket.goaway, once")
    func lateMetadataOfHealthCheck() throws {
        try with { _, clients in
            let client = clients[0]
            client.drain()
            try client.call("rocket.Health.check", id: "1", info: block)
            #expect(try client.answers().map(\.method) == ["rocket.Health.check", "rocket.goaway"])
            try client.call("rocket.Health.check", id: "2", info: block)
            #expect(try client.answers().ids == ["2"])
            #expect(client.peer.closing == nil)
            client.finish()
            #expect(client.peer.closing == .peerFinished)
        }
    }

    @Test("So is one whose other calls are in flight, when they have been answered")
    func lateMetadataWithCalls() throws {
        try with { scene, clients in
            let client = clients[0]
            try client.call("test.v1.Test.hold", id: "held", payload: Number(1).serializedBytes())
            client.drain()
            try client.call("rocket.Health.check", id: "check", info: block)
            service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(try client.answers().ids == ["check", "held", ""])
            #expect(client.peer.closing == nil)
        }
    }
}
