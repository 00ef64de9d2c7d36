import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@testable import RocketRPC

/// Calls at a manual clock: the test decides how long each has waited.
@Suite("Refusals for the delay of calls")
struct QueueDelayTests {
    let sync = "test.v1.Synchronous.echo"
    let none = ""
    let sheddable = "rkm1\ncall-priority=sheddable\n"
    let critical = "rkm1\ncall-priority=critical\n"

    func withScene(
        _ service: TestService = TestService(), acceptsCritical: Bool = false,
        _ body: (ServerScene, ServerScene.Client) throws -> Void
    ) throws {
        var limits = RPCCallLimits()
        limits.queueDelay = .milliseconds(5)
        limits.acceptsCritical = acceptsCritical
        try ServerScene.with(
            [SynchronousService(), service, RPCHealth(services: [])], limits: limits
        ) { try body($0, $1[0]) }
    }

    /// The reply to a synchronous call that begins that long after the tick that read it.
    func code(
        _ scene: ServerScene, _ client: ServerScene.Client, after delay: Duration,
        info: String = ""
    ) throws -> RPCErrorCode? {
        scene.loop.tick(after: .microseconds(100))
        scene.loop.clock.advance(by: delay)
        client.peer.receiveOnly(try scene.kit.frame(sync, info: info), client.connection)
        return try client.answers().first?.code
    }

    /// Makes the loop overloaded, and begins an interval.
    func overload(_ scene: ServerScene, _ client: ServerScene.Client) throws {
        scene.loop.tick(after: .microseconds(100))
        scene.loop.clock.advance(by: .milliseconds(6))
        // So many that none can take long.
        let frames = try (0..<120).flatMap { try scene.kit.frame(id: "\($0)", sync) }
        client.peer.receiveOnly(frames, client.connection)
        #expect(try client.answers().codes == .init(repeating: .success, count: 120))
        scene.loop.clock.advance(by: .milliseconds(100))
        // The first call of an interval is served, to measure.
        #expect(try code(scene, client, after: .milliseconds(6)) == .success)
        #expect(scene.dispatcher.statistics.overloadedLoops == 1)
    }

    @Test("Calls are refused that wait for more than twice the target; sheddable ones earlier")
    func edges() throws {
        try withScene { scene, client in
            try overload(scene, client)
            let (target, more) = (Duration.milliseconds(5), Duration.nanoseconds(1))
            #expect(try code(scene, client, after: target * 2) == .success)
            #expect(try code(scene, client, after: target * 2 + more) == .unavailable)
            #expect(try code(scene, client, after: target, info: sheddable) == .success)
            #expect(try code(scene, client, after: target + more, info: sheddable) == .unavailable)
            // Whoever claims it is served like others.
            #expect(
                try code(scene, client, after: target * 2 + more, info: critical) == .unavailable)
            let statistics = scene.dispatcher.statistics
            #expect(statistics.refusedForQueueDelay == 3 && statistics.refusedCalls == 3)
        }
    }

    @Test("Where critical calls are accepted, they may wait for four targets")
    func criticalCalls() throws {
        try withScene(acceptsCritical: true) { scene, client in
            try overload(scene, client)
            let most = Duration.milliseconds(20)
            #expect(try code(scene, client, after: most, info: critical) == .success)
            #expect(
                try code(scene, client, after: most + .nanoseconds(1), info: critical)
                    == .unavailable)
        }
    }

    @Test("The text says that the server is overloaded")
    func text() throws {
        try withScene { scene, client in
            try overload(scene, client)
            scene.loop.tick(after: .microseconds(100))
            scene.loop.clock.advance(by: .milliseconds(30))
            client.peer.receiveOnly(try scene.kit.frame(id: "7", sync), client.connection)
            let answer = try #require(try client.answers().first)
            #expect(answer.id == "7" && answer.method == sync && answer.payload.isEmpty)
            #expect(answer.info == "the server is overloaded: calls wait too long")
        }
    }

    @Test("A delay that is short once per interval is no overload")
    func bursts() throws {
        try withScene { scene, client in
            for _ in 0..<10 {
                for delay in [1, 40, 40] {
                    let code = try code(scene, client, after: .milliseconds(delay))
                    #expect(code == .success)
                }
                scene.loop.clock.advance(by: .milliseconds(20))
            }
            #expect(scene.dispatcher.statistics.overloadedLoops == 0)
        }
    }

    @Test("An overload ends with the first interval in which calls do not wait")
    func recovery() throws {
        try withScene { scene, client in
            try overload(scene, client)
            scene.loop.clock.advance(by: .milliseconds(100))
            #expect(try code(scene, client, after: .zero) == .success)
            scene.loop.clock.advance(by: .milliseconds(100))
            #expect(try code(scene, client, after: .zero) == .success)
            #expect(scene.dispatcher.statistics.overloadedLoops == 0)
            #expect(try code(scene, client, after: .milliseconds(30)) == .success)
        }
    }

    @Test("Calls wait while the loop does something else, in the kernel")
    func lateLoop() throws {
        try withScene { scene, client in
            try overload(scene, client)
            let clock = scene.loop.clock
            func code(blocking time: Duration) throws -> RPCErrorCode? {
                scene.loop.tick(after: .milliseconds(1))
                scene.loop.loop.execute { _ in clock.advance(by: time) }
                scene.loop.tick()
                // The next tick begins at once: its events waited for half of that on average.
                scene.loop.tick()
                client.peer.receiveOnly(try scene.kit.frame(sync), client.connection)
                return try client.answers().first?.code
            }
            #expect(try code(blocking: .milliseconds(20)) == .success)
            #expect(try code(blocking: .milliseconds(21)) == .unavailable)
        }
    }

    @Test("Calls that wait for a handler task are refused when it is their turn")
    func handlerTasks() throws {
        let service = TestService()
        service.gate.open()
        try withScene(service) { scene, client in
            try overload(scene, client)
            for (delay, expected) in [
                (Duration.milliseconds(10), RPCErrorCode.success),
                (.milliseconds(11), .unavailable),
            ] {
                scene.loop.tick(after: .microseconds(100))
                client.peer.receiveOnly(
                    try scene.kit.frame("test.v1.Test.hold"), client.connection)
                scene.loop.clock.advance(by: delay)
                scene.loop.tickUntilIdle()
                let codes = try client.answers().codes
                #expect(codes == [expected], "\(delay)")
            }
        }
    }

    @Test("Health checks are served")
    func healthChecks() throws {
        try withScene { scene, client in
            try overload(scene, client)
            scene.loop.tick(after: .microseconds(100))
            client.peer.receiveOnly(
                try scene.kit.frame("rocket.Health.check"), client.connection)
            scene.loop.clock.advance(by: .seconds(1))
            scene.loop.tickUntilIdle()
            #expect(try client.answers().codes == [.success])
        }
    }

    @Test("It is turned off and on while the server runs")
    func update() throws {
        try withScene { scene, client in
            try overload(scene, client)
            var limits = RPCCallLimits()
            scene.dispatcher.update(limits)
            #expect(try code(scene, client, after: .milliseconds(30)) == .success)
            #expect(scene.dispatcher.statistics.overloadedLoops == 0)
            limits.queueDelay = .milliseconds(1)
            scene.dispatcher.update(limits)
            try overload(scene, client)
            #expect(try code(scene, client, after: .milliseconds(3)) == .unavailable)
        }
    }
}
