import RocketBase
import RocketBaseTestKit
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

/// What a connection takes along to another loop, and when it does not go.
@Suite(.oneAtATime) struct ServerConnectionMoveTests {
    let block = "rkm1\ntimeout-ms=1000\n"

    /// Moves the client's connection to another loop, whose scene is passed to `body`.
    private func moved(
        _ client: ServerScene.Client, of scene: ServerScene, _ registry: SchedulerRegistry,
        _ body: (ServerScene, ServerScene.Client) throws -> Void
    ) throws {
        let other = try HandDrivenLoop(clock: scene.loop.clock)
        let makeHandler = try #require(client.connection.leave())
        #expect(client.connection.transport == nil && scene.scheduler.openConnections.isEmpty)
        let connection = try #require(makeHandler(other.reactor) as? ServerConnection)
        let scheduler = registry.scheduler(on: other.reactor, scene.dispatcher)
        #expect(connection.scheduler === scheduler && scheduler !== scene.scheduler)
        let there = ServerScene(
            loop: other, dispatcher: scene.dispatcher, scheduler: scheduler, metrics: nil,
            codec: scene.codec)
        let client = there.client(connection)
        #expect(scheduler.openConnections.count == 1)
        try body(there, client)
        if connection.transport != nil { client.reset() }
        scheduler.stop()
        other.tickUntilIdle()
    }

    @Test("A connection keeps its number and what its peer knows of metadata")
    func state() throws {
        let registry = SchedulerRegistry()
        try ServerScene.with([TestService()], registry: registry) { scene, clients in
            try clients[0].call(id: "1", info: block)
            #expect(try clients[0].answers().map(\.info) == ["rkm1\nlimit=8192\n"])
            try moved(clients[0], of: scene, registry) { _, client in
                #expect(client.connection.number == clients[0].connection.number)
                // The limit was announced before.
                try client.call(id: "2", info: block)
                #expect(try client.answers().map(\.info) == [""])
                client.drain()
                #expect(try client.answers().map(\.method) == ["rocket.goaway"])
            }
        }
    }

    @Test("A connection has the age that it had")
    func age() throws {
        var configuration = RPCServerConfiguration(tcp: TCPServerConfiguration(listen: []))
        configuration.maxConnectionAge = .seconds(100)
        let age = ConnectionAge(configuration)
        let registry = SchedulerRegistry(age: age)
        try ServerScene.with([TestService()], age: age, registry: registry) { scene, clients in
            try clients[0].call(id: "1", info: block)
            scene.loop.clock.advance(by: .seconds(80))
            scene.loop.tickUntilIdle()
            try moved(clients[0], of: scene, registry) { there, client in
                there.loop.tickUntilIdle()
                let before = try client.answers()
                there.loop.tick(after: .seconds(31))
                there.loop.tickUntilIdle()
                let after = try client.answers()
                #expect(before.isEmpty && after.map(\.method) == ["rocket.goaway"])
            }
        }
    }

    @Test("A connection stays while a call is under way")
    func busy() throws {
        let service = TestService()
        let registry = SchedulerRegistry()
        try ServerScene.with([service], registry: registry) { scene, clients in
            let connection = clients[0].connection
            try clients[0].call("test.v1.Test.hold", id: "1")
            #expect(connection.callsInFlight == 1 && connection.leave() == nil)
            service.gate.open()
            while connection.callsInFlight > 0 { scene.loop.tick() }
            scene.loop.tickUntilIdle()
            #expect(try clients[0].answers().map(\.id) == ["1"])
            try moved(clients[0], of: scene, registry) { _, client in
                try client.call(id: "3")
                #expect(try client.answers().map(\.id) == ["3"])
            }
        }
    }

    @Test("A connection that ends stays, and one whose scheduler has no others")
    func ending() throws {
        let registry = SchedulerRegistry()
        try ServerScene.with([TestService()], registry: registry) { _, clients in
            #expect(clients[0].connection.isMovable)
            try clients[0].call(id: "1", info: block)
            clients[0].drain()
            #expect(!clients[0].connection.isMovable && clients[0].connection.leave() == nil)
        }
        try ServerScene.with([TestService()]) { _, clients in
            #expect(!clients[0].connection.isMovable && clients[0].connection.leave() == nil)
        }
    }
}
