import RocketBase
import RocketReactorTestKit
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// Health calls that wait have limits of their own, and end with their connection.
@Suite("Limits on health calls")
struct HealthLimitTests {
    let health = RPCHealth()
    let service = TestService()

    func with(
        connections: Int = 1, limits: RPCCallLimits = RPCCallLimits(),
        _ body: (ServerScene, [ServerScene.Client]) throws -> Void
    ) throws {
        try ServerScene.with([health, service], connections: connections, limits: limits) {
            try body($0, $1)
            service.gate.open()
            $0.loop.tickUntilIdle()
        }
    }

    /// Sends watch calls for a change from SERVING.
    func watch(_ client: ServerScene.Client, _ ids: Range<Int>, info: String = "") throws {
        let request = RPCHealthWatchRequest.with { $0.known = .serving }
        for id in ids {
            try client.call(
                "rocket.Health.watch", id: "\(id)", info: info,
                payload: try request.serializedBytes())
        }
    }

    @Test("Watch calls take no place of other calls, of their connection or of the server")
    func otherCalls() throws {
        var limits = RPCCallLimits()
        limits.maxCallsPerConnection = 2
        limits.maxCalls = 2
        try with(connections: 2, limits: limits) { _, clients in
            for client in clients { try watch(client, 0..<16) }
            for client in clients {
                #expect(try client.answers().isEmpty)
                try client.call(id: "echo")
                try client.call("rocket.Health.check", id: "check")
                #expect(try client.answers().codes == [.success, .success])
            }
        }
    }

    @Test("Watch calls over the limit of a connection are refused, and those within it answered")
    func perConnection() throws {
        try with { scene, clients in
            try watch(clients[0], 0..<1000)
            let refused = try clients[0].answers()
            #expect(refused.ids == (16..<1000).map { "\($0)" })
            #expect(Set(refused.codes) == [.resourceExhausted])
            health.set(.notServing)
            scene.loop.tickUntilIdle()
            let answers = try clients[0].answers()
            #expect(Set(answers.ids) == Set((0..<16).map { "\($0)" }))
            #expect(Set(answers.codes) == [.success])
            // Their places are free again.
            health.set(.serving)
            try watch(clients[0], 0..<17)
            #expect(try clients[0].answers().ids == ["16"])
        }
    }

    @Test("The limit of the server counts the watch calls of all connections")
    func inAll() throws {
        var limits = RPCCallLimits()
        limits.maxWatches = 3
        try with(connections: 2, limits: limits) { _, clients in
            try watch(clients[0], 0..<2)
            try watch(clients[1], 0..<2)
            #expect(try clients[0].answers().isEmpty)
            #expect(try clients[1].answers().ids == ["1"])
            try clients[1].call("rocket.Health.check", id: "check")
            #expect(try clients[1].answers().codes == [.success])
            clients[0].reset()
            try watch(clients[1], 2..<4)
            #expect(try clients[1].answers().isEmpty)
        }
    }

    @Test("Changed limits apply to the next watch calls")
    func changedLimits() throws {
        try with { _, clients in
            let limiter = clients[0].connection.dispatcher.limiter
            var limits = RPCCallLimits()
            limits.maxWatches = 1
            limiter.update(limits)
            try watch(clients[0], 0..<2)
            #expect(try clients[0].answers().ids == ["1"])
            limits.maxWatches = 100
            limits.maxWatchesPerConnection = 2
            limiter.update(limits)
            try watch(clients[0], 2..<4)
            #expect(try clients[0].answers().ids == ["3"])
        }
    }

    /// Suspends every call.
    struct Slow: RPCInterceptor {
        let gate: Gate

        func intercept<Request: Message & Sendable, Response: Message & Sendable>(
            _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
        ) async throws -> Response {
            await gate.wait()
            return try await next(request, call)
        }
    }

    @Test("Checks that wait in an interceptor are limited, too")
    func checks() throws {
        let gate = Gate()
        try ServerScene.with([health], interceptors: [Slow(gate: gate)]) { scene, clients in
            for id in 0..<20 { try clients[0].call("rocket.Health.check", id: "\(id)") }
            let refused = try clients[0].answers()
            #expect(refused.ids == ["16", "17", "18", "19"])
            #expect(Set(refused.codes) == [.resourceExhausted])
            gate.open()
            scene.loop.tickUntilIdle()
            #expect(try clients[0].answers().codes == Array(repeating: .success, count: 16))
        }
    }

    @Test("A half-closed connection answers its watch calls and closes")
    func halfClosed() throws {
        try with { _, clients in
            try watch(clients[0], 0..<2)
            clients[0].finish()
            #expect(try clients[0].answers().codes == [.unavailable, .unavailable])
            #expect(clients[0].peer.closing == .peerFinished)
            #expect(clients[0].connection.suspended.tasks.isEmpty)
        }
    }

    @Test("A connection that ends answers other calls, and keeps no watch call meanwhile")
    func endingWithCalls() throws {
        try with { scene, clients in
            let client = clients[0]
            try client.call("test.v1.Test.hold", id: "held", payload: Number(1).serializedBytes())
            try watch(client, 0..<1)
            client.finish()
            #expect(try client.answers().ids == ["0"])
            #expect(client.peer.closing == nil)
            service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(try client.answers().ids == ["held"])
            #expect(client.peer.closing == .peerFinished)
        }
    }

    @Test("A watch call that begins while the server drains is not kept")
    func draining() throws {
        try with { _, clients in
            let client = clients[0]
            try client.call("test.v1.Test.hold", id: "held", payload: Number(1).serializedBytes())
            client.drain()
            try watch(client, 0..<1)
            #expect(try client.answers().codes == [.unavailable])
            #expect(client.connection.suspended.tasks.count == 1)
        }
    }

    @Test("A half-closed peer that knows metadata is sent a frame, which a closed one resets")
    func probe() throws {
        try with(connections: 2) { scene, clients in
            for (client, info) in zip(clients, ["rkm1\nx-a=b\n", ""]) {
                try client.call(
                    "test.v1.Test.hold", id: "held", info: info,
                    payload: Number(1).serializedBytes())
                client.finish()
                let frames = try client.answers()
                #expect(frames.map(\.method) == (info.isEmpty ? [] : ["rocket.goaway"]))
                #expect(client.connection.suspended.tasks.count == 1)
            }
        }
    }
}
