import RocketBase
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

@Suite(.oneAtATime) struct ConnectionAgeTests {
    private func age(_ seconds: Int, grace: Int = 300) throws -> ConnectionAge {
        var configuration = RPCServerConfiguration(tcp: TCPServerConfiguration(listen: []))
        configuration.maxConnectionAge = .seconds(seconds)
        configuration.maxConnectionAgeGrace = .seconds(grace)
        return try #require(ConnectionAge(configuration))
    }

    @Test(
        "A connection that is old ends as in a drain: its calls are answered, others go elsewhere")
    func ends() throws {
        try ServerScene.with([TestService()], age: age(100)) { scene, clients in
            let client = clients[0]
            try client.call(id: "1", info: "rkm1\ntimeout-ms=1000\n")
            _ = try client.answers()
            scene.loop.tick(after: .seconds(89))
            #expect(try client.answers().isEmpty)
            scene.loop.tick(after: .seconds(22))
            scene.loop.tickUntilIdle()
            #expect(try client.answers().map(\.method) == ["rocket.goaway"])
            try client.call(id: "2")
            let answer = try #require(try client.answers().first)
            #expect(answer.code == .unavailable && answer.info == "the connection is too old")
            #expect(client.peer.closing == nil)
        }
    }

    @Test("A client that stays on an old connection is closed after the grace")
    func grace() throws {
        try ServerScene.with([TestService()], age: age(100, grace: 10)) { scene, clients in
            try clients[0].call(id: "1", info: "rkm1\ntimeout-ms=1000\n")
            scene.loop.tick(after: .seconds(111))
            scene.loop.tick(after: .seconds(9))
            #expect(clients[0].peer.closing == nil)
            scene.loop.tick(after: .seconds(2))
            #expect(clients[0].peer.closing == .tooOld)
        }
    }

    @Test("A connection that gets old while its server drains has the grace for its calls")
    func oldWhileDraining() throws {
        try ServerScene.with([TestService()], age: age(100, grace: 10)) { scene, clients in
            let client = clients[0]
            try client.call(id: "1", info: "rkm1\ntimeout-ms=1000\n")
            _ = try client.answers()
            client.connection.beginDraining()
            scene.loop.tick(after: .seconds(111))
            #expect(client.peer.closing == nil)
            scene.loop.tick(after: .seconds(11))
            #expect(client.peer.closing == .tooOld)
        }
    }

    @Test("No age and no grace is too long for a clock")
    func longest() throws {
        let longest = Int(Int64.max)
        try ServerScene.with([TestService()], age: age(longest, grace: longest)) {
            scene, clients in
            scene.loop.tick(after: .seconds(1_000_000))
            #expect(clients[0].peer.closing == nil)
        }
    }

    @Test("Connections that began together end at different times, within 10 % of the age")
    func jitter() throws {
        let count = 50
        try ServerScene.with([TestService()], connections: count, age: age(1000)) {
            scene, clients in
            func ended() -> Int { clients.filter { $0.peer.closing == .tooOld }.count }
            scene.loop.tick(after: .seconds(899))
            #expect(ended() == 0)
            var steps: Set<Int> = []
            for _ in 0..<21 {
                scene.loop.tick(after: .seconds(10))
                scene.loop.tickUntilIdle()
                steps.insert(ended())
            }
            // A peer without metadata that is idle has a second.
            scene.loop.tick(after: .seconds(2))
            scene.loop.tickUntilIdle()
            #expect(ended() == count)
            #expect(steps.count > 5)
        }
    }

    @Test("A connection that has closed is forgotten")
    func closed() throws {
        try ServerScene.with([TestService()], age: age(100)) { scene, clients in
            clients[0].reset()
            scene.loop.tick(after: .seconds(500))
            #expect(clients[0].connection.transport == nil)
        }
    }
}
