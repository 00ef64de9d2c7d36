import RocketBalancing
import RocketBase
import RocketRPC
import RocketSimulation
import RocketSystem

// More calls than servers can serve, and the calls that clients make again.

extension BalancingCase {
    /// Servers that serve a hundred calls per second each.
    ///
    /// - Parameter isProtected: with the protection that fits handlers that wait.
    private static func servers(
        _ world: World, count: Int, isProtected: Bool,
        _ slowness: @escaping @Sendable (Duration) -> Double = { _ in 1 }
    ) throws -> ServerGroup {
        try ServerGroup(
            world, "server", count: count,
            configure: {
                if isProtected { $0.limits.adaptiveMethods = [WorkService.work.fullName] }
            }
        ) { _ in
            var behaviour = WorkBehaviour()
            behaviour.workers = 4
            behaviour.service = .milliseconds(20)...Duration.milliseconds(60)
            behaviour.slowness = slowness
            return behaviour
        }
    }

    /// Of two servers.
    private static let capacity = 200.0

    /// Twice the calls that servers can serve for five seconds, and three times for ten.
    static let overload = BalancingCase(
        "overload-3x",
        limits: [
            .atLeast("goodput at 2x", 0.9), .atLeast("goodput at 3x", 0.9),
            .atLeast("recovered", 0.95), .atMost("amplification", 1.2),
            .atLeast("least client", 0.5),
        ]
    ) { try overload($0, $1, isProtected: true) }

    /// The same with servers that refuse nothing.
    static let overloadUnprotected = BalancingCase("overload-3x-unprotected", limits: []) {
        try overload($0, $1, isProtected: false)
    }

    private static func overload(
        _ world: World, _ policy: BalancingPolicy, isProtected: Bool
    ) throws -> BalancingFigures {
        world.simplifyNetwork()
        let servers = try servers(world, count: 2, isProtected: isProtected)
        let clients = try ClientGroup(
            world, "clients", count: 4, of: servers, policy: policy, timeout: .milliseconds(400))
        clients.call([
            .init(0.7 * capacity, until: 3), .init(2 * capacity, until: 8),
            .init(0.7 * capacity, until: 13), .init(3 * capacity, until: 23),
            .init(0.7 * capacity, until: 30),
        ])
        try world.run([clients])
        let calls = clients.calls
        var figures = BalancingFigures()
        figures.values = [
            "goodput at 2x": calls.goodput(from: 4, to: 8) / capacity,
            "goodput at 3x": calls.goodput(from: 14, to: 23) / capacity,
            "recovered": calls.from(28).successRate,
            "p99 at 3x": CallRecords(
                calls.from(14, to: 23).calls.filter { $0.server != nil }, timeout: 0
            ).quantile(0.99),
            "amplification": clients.amplification(),
            "least client": calls.from(13, to: 23).leastShare(of: 4),
        ]
        figures.series["goodput"] = calls.goodput(each: 0.5, to: 30)
        return figures
    }

    /// Five servers become ten times slower for three seconds, at 70 % of their capacity. Clients whose
    /// calls time out make them again, up to two times, so that the load is above the capacity as long
    /// as calls time out.
    static let retryStorm = BalancingCase(
        "retry-storm",
        limits: [
            .atLeast("before", 0.99), .atLeast("recovered", 0.95), .atMost("amplification", 1.2),
        ]
    ) { try retryStorm($0, $1, isProtected: true) }

    /// The same with two servers.
    static let retryStormOfTwo = BalancingCase("retry-storm-of-two", limits: retryStorm.limits) {
        try retryStorm($0, $1, count: 2, isProtected: true)
    }

    /// The same with servers that refuse nothing.
    static let retryStormUnprotected = BalancingCase("retry-storm-unprotected", limits: []) {
        try retryStorm($0, $1, isProtected: false)
    }

    private static func retryStorm(
        _ world: World, _ policy: BalancingPolicy, count: Int = 5, isProtected: Bool
    ) throws -> BalancingFigures {
        world.simplifyNetwork()
        let servers = try servers(world, count: count, isProtected: isProtected) {
            (3..<6).contains($0 / .seconds(1)) ? 10 : 1
        }
        let clients = try ClientGroup(
            world, "clients", count: 4, of: servers, policy: policy, timeout: .milliseconds(300),
            repetitions: 2)
        clients.call([.init(70 * Double(count), until: 16)])
        try world.run([clients])
        var figures = BalancingFigures()
        figures.values = [
            "before": clients.calls.from(1, to: 2.5).successRate,
            "while slow": clients.calls.from(3, to: 6).successRate,
            "recovered": clients.calls.from(11).successRate,
            "amplification": clients.amplification(),
        ]
        figures.series["goodput"] = clients.calls.goodput(each: 0.5, to: 16)
        return figures
    }

    /// All servers refuse all calls from the tenth to the thirtieth second: channels send them again as
    /// long as there is a budget for that, then calls fail at once. It lets a channel spend at once
    /// what ten seconds allow.
    static let budgetExhausted = BalancingCase(
        "budget-exhausted",
        limits: [
            .atMost("amplification", 1.2), .atMost("amplification while refused", 1.22),
            .atLeast("refused retries", 1),
            .atMost("p99 while refused", 300), .atLeast("recovered", 1),
        ]
    ) { world, policy in
        world.simplifyNetwork()
        let servers = try ServerGroup(world, "server", count: 3) { _ in
            var behaviour = WorkBehaviour()
            behaviour.refusal = { (10..<30).contains($0 / .seconds(1)) ? .unavailable : nil }
            return behaviour
        }
        let clients = try ClientGroup(world, "clients", count: 2, of: servers, policy: policy)
        clients.call([.init(120, until: 34)])
        try world.run([clients])
        let refused = clients.calls.from(10, to: 30)
        let times = refused.calls.map(\.took).sorted()
        let attempts = servers.arrivals(from: .seconds(10), to: .seconds(30)).reduce(0, +)
        var figures = BalancingFigures()
        figures.values = [
            "amplification": clients.amplification(),
            "amplification while refused": Double(attempts) / Double(refused.calls.count),
            "refused retries":
                Double(clients.channels.reduce(0) { $0 + $1.statistics.retriesRefused }),
            "p99 while refused": times[times.count * 99 / 100] * 1_000,
            "recovered": clients.calls.from(32).successRate,
        ]
        return figures
    }
}

extension ClientGroup {
    /// How often channels sent each call that the clients' own code made.
    func amplification() -> Double {
        let made = calls.calls.reduce(0) { $0 + $1.tries }
        return Double(made + channels.reduce(0) { $0 + $1.statistics.retries })
            / Double(max(1, made))
    }
}
