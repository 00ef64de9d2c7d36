import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import Testing

@testable import RocketRPC

/// The other refusals under overload, each at its edge.
@Suite("Refusals of late calls, above adaptive limits and rates")
struct AdmissionTests {
    let sync = "test.v1.Synchronous.echo"
    let hold = "test.v1.Test.hold"

    // MARK: Late calls

    /// Serves 16 calls that take 10 ms each, then calls `body`.
    func withTenMilliseconds(
        _ body: (ServerScene, ServerScene.Client, TestService) throws -> Void
    ) throws {
        var limits = RPCCallLimits()
        limits.refusesLateCalls = true
        let service = TestService()
        try ServerScene.with([service], limits: limits) { scene, clients in
            for number in 0..<16 {
                try clients[0].call(hold, id: "\(number)")
            }
            scene.loop.clock.advance(by: .milliseconds(10))
            service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(try clients[0].answers().codes == .init(repeating: .success, count: 16))
            try body(scene, clients[0], service)
        }
    }

    @Test("A call with less time left than its method takes is refused, and a longer one is not")
    func late() throws {
        try withTenMilliseconds { scene, client, _ in
            try client.call(hold, id: "a", info: "rkm1\ntimeout-ms=9\n")
            try client.call(hold, id: "b", info: "rkm1\ntimeout-ms=10\n")
            try client.call(hold, id: "c")
            // Other methods have their own times.
            try client.call(id: "d", info: "rkm1\ntimeout-ms=1\n")
            let answers = try client.answers()
            #expect(answers.ids == ["a", "b", "c", "d"])
            #expect(answers.codes == [.callTimeout, .success, .success, .success])
            #expect(answers[0].info == "less time is left than the method takes")
            #expect(scene.dispatcher.statistics.refusedAsLate == 1)
        }
    }

    @Test("The time that a call has waited counts")
    func lateAfterWaiting() throws {
        try withTenMilliseconds { scene, client, _ in
            client.peer.receiveOnly(
                try scene.kit.frame(hold, info: "rkm1\ntimeout-ms=14\n"), client.connection)
            scene.loop.clock.advance(by: .milliseconds(5))
            scene.loop.tickUntilIdle()
            #expect(try client.answers().codes == [.callTimeout])
        }
    }

    // MARK: Adaptive limits

    func withAdaptive(
        _ methods: [String] = ["test.v1.Test.*"], critical: Bool = false,
        _ body: (ServerScene, ServerScene.Client, TestService) throws -> Void
    ) throws {
        var limits = RPCCallLimits()
        limits.adaptiveMethods = methods
        limits.acceptsCritical = critical
        let service = TestService()
        try ServerScene.with([service, SynchronousService()], limits: limits) { scene, clients in
            try body(scene, clients[0], service)
            service.gate.open()
            scene.loop.tickUntilIdle()
        }
    }

    @Test("Calls in flight up to 60, 80 and 100 % of the limit begin, by their priority")
    func shares() throws {
        try withAdaptive(critical: true) { scene, client, service in
            // The limit is 20 at first.
            var number = 0
            for (priority, most) in [("sheddable", 12), ("default", 16), ("critical", 20)] {
                while number < most + 1 {
                    let info = "rkm1\ncall-priority=\(priority)\n"
                    try client.call(hold, id: "\(number)", info: info)
                    number += 1
                    if number <= most { #expect(try client.answers().isEmpty) }
                }
                #expect(try client.answers().codes == [.unavailable])
                number -= 1
            }
            #expect(service.gate.arrivalCount == 20)
            var statistics = scene.dispatcher.statistics
            #expect(statistics.refusedByAdaptiveLimit == 3)
            #expect(statistics.adaptiveLimits[hold] == 20)
            // A synchronous method has none.
            try client.call(sync, id: "sync")
            #expect(try client.answers().codes == [.success])
            service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(try client.answers().codes == .init(repeating: .success, count: 20))
            scene.dispatcher.update(RPCCallLimits())
            try client.call(id: "off")
            statistics = scene.dispatcher.statistics
            #expect(statistics.adaptiveLimits.isEmpty)
        }
    }

    @Test("Cancelled calls and those that end while the limit is off give back their places")
    func places() throws {
        try withAdaptive([hold]) { scene, client, service in
            for number in 0..<16 { try client.call(hold, id: "\(number)") }
            try client.call(hold, id: "above")
            #expect(try client.answers().codes == [.unavailable])
            scene.dispatcher.update(RPCCallLimits())
            try client.call(hold, id: "16")
            service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(try client.answers().count == 17)
            var limits = RPCCallLimits()
            limits.adaptiveMethods = [hold]
            scene.dispatcher.update(limits)
            for number in 0..<20 { try client.call(hold, id: "\(number)") }
            #expect(try client.answers().codes == .init(repeating: .success, count: 20))
        }
    }

    @Test("The loops of a server share a limit")
    func loops() throws {
        try withAdaptive { scene, client, _ in
            scene.dispatcher.overload.share(among: 4)
            for number in 0..<5 { try client.call(hold, id: "\(number)") }
            #expect(try client.answers().ids == ["4"])
        }
    }

    @Test("A limit for what no method is called is an error", arguments: ["a.B.c", "x.*", "?"])
    func unknown(_ pattern: String) {
        var limits = RPCCallLimits()
        limits.adaptiveMethods = [pattern]
        #expect(throws: RPCRegistrationError.self) {
            try RPCDispatcher(services: [TestService()], limits: limits)
        }
    }

    // MARK: Rates

    @Test("A caller makes as many calls as its burst, and then its rate")
    func rate() throws {
        var limits = RPCCallLimits()
        limits.callsPerSecond = 2
        limits.callBurst = 3
        try ServerScene.with([TestService()], connections: 2, limits: limits) { scene, clients in
            // Both connections are of one address.
            for number in 0..<4 { try clients[number % 2].call(id: "\(number)") }
            #expect(try clients[0].answers().codes == [.success, .success])
            let second = try clients[1].answers()
            #expect(second.codes == [.success, .resourceExhausted])
            #expect(second.last?.info == "the caller makes more calls than it may")
            scene.loop.tick(after: .milliseconds(499))
            try clients[0].call(id: "early")
            scene.loop.tick(after: .milliseconds(1))
            try clients[0].call(id: "in time")
            #expect(try clients[0].answers().codes == [.resourceExhausted, .success])
            #expect(scene.dispatcher.statistics.refusedForRate == 2)
        }
    }

    @Test("Each refused call gets a reply of its own msg_id and method")
    func replies() throws {
        var limits = RPCCallLimits()
        limits.callsPerSecond = 1
        try ServerScene.with(
            [TestService(), SynchronousService()], connections: 2, limits: limits
        ) { scene, clients in
            try clients[0].call(id: "0")
            _ = try clients[0].answers()
            for number in 0..<70 {
                let id = String(repeating: "x", count: number)
                let method = [hold, sync][number / 2 % 2]
                try clients[number % 2].call(method, id: id)
                let answers = try clients[number % 2].answers()
                #expect(answers.ids == [id] && answers.codes == [.resourceExhausted])
                #expect(answers[0].method == method && answers[0].payload == [])
                #expect(answers[0].info == "the caller makes more calls than it may")
            }
            #expect(scene.dispatcher.statistics.refusedForRate == 70)
        }
    }

    @Test("Callers with tokens have rates of their own")
    func ratesOfTokens() throws {
        var limits = RPCCallLimits()
        limits.callsPerSecond = 1
        try ServerScene.with(
            [TestService()], limits: limits, authenticator: TestAuthenticator()
        ) { scene, clients in
            for name in ["a", "b", "a", "c"] {
                try clients[0].call(id: name, info: "rkm1\nauthorization=Bearer%20good-\(name)\n")
            }
            #expect(
                try clients[0].answers().codes
                    == [.success, .success, .resourceExhausted, .success])
            #expect(scene.dispatcher.overload.rates.callerCount == 3)
        }
    }

    @Test("A bounded number of callers is remembered")
    func callers() throws {
        var limits = RPCCallLimits()
        limits.callsPerSecond = 1
        limits.maxCallers = 16
        let rates = CallerRates()
        rates.update(limits)
        for number in 0..<1000 {
            let peers = ConnectionPeers(
                local: .loopback(port: 1), peer: .loopback(port: 2),
                token: RPCToken(subject: "\(number)"))
            #expect(rates.admits(CallerKey(peers), now: MonotonicTime(nanoseconds: 1)))
        }
        #expect(rates.callerCount <= 16)
    }
}
