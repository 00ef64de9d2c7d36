public import RocketBalancing
public import RocketSimulation

/// A situation of clients with many servers, what is measured in it, and what the default policy
/// keeps to. A value.
public struct BalancingCase: Sendable {
    /// What a figure keeps to with the default policy.
    struct Limit: Sendable {
        let figure: String
        let allowed: ClosedRange<Double>

        static func atMost(_ figure: String, _ most: Double) -> Limit {
            Limit(figure: figure, allowed: -.infinity...most)
        }

        static func atLeast(_ figure: String, _ least: Double) -> Limit {
            Limit(figure: figure, allowed: least ... .infinity)
        }
    }

    /// Its name on command lines.
    public let name: String
    let limits: [Limit]
    private let body: @Sendable (World, BalancingPolicy) throws -> BalancingFigures

    init(
        _ name: String, limits: [Limit],
        body: @escaping @Sendable (World, BalancingPolicy) throws -> BalancingFigures
    ) {
        self.name = name
        self.limits = limits
        self.body = body
    }

    /// The scenario: the default policy, and a violation for each limit that is not kept.
    public var scenario: Scenario {
        Scenario(name: name) { [self] world, _ in
            let figures = try body(world, .p2cPeakEWMA)
            for limit in limits {
                let value = figures.values[limit.figure] ?? .nan
                if !limit.allowed.contains(value) {
                    world.violated(
                        .custom, "\(limit.figure) is \(value), allowed is \(limit.allowed)")
                }
            }
            try world.close()
        }
    }

    /// What is measured in the world of a seed with a policy, whether its limits are kept or not.
    ///
    /// - Throws: `SimulationFailure` for a rule that holds in every world.
    public func measure(seed: UInt64, policy: BalancingPolicy) throws -> BalancingFigures {
        let world = World(seed: seed)
        let figures = try body(world, policy)
        try world.close()
        return figures
    }

    /// All of them.
    public static let all = [
        oneSlow, oneFailing, coldStart, zoneLost, thousandClients, flappingList, overload,
        retryStorm, retryStormOfTwo, budgetExhausted,
    ]

    /// The same without what protects, to compare with.
    public static let unprotected = [
        oneFailingNeverEjected, overloadUnprotected, retryStormUnprotected,
    ]
}

/// What was measured in one world. A value.
public struct BalancingFigures: Sendable {
    /// By name.
    public var values: [String: Double] = [:]
    /// Values of equal intervals from the start on, by name.
    public var series: [String: [Double]] = [:]
}

extension World {
    /// Makes what is between hosts simple, so that a world with many calls takes little time, and
    /// differences between latencies come from servers.
    func simplifyNetwork() {
        defaultConditions.latency = .microseconds(100)...Duration.microseconds(300)
        defaultConditions.splitsAnywhere = false
        defaultConditions.shortCalls = 0
    }

    /// Runs until all clients have made their calls.
    func run(_ clients: [ClientGroup]) throws {
        try run(atMost: .seconds(120)) { clients.allSatisfy(\.isDone) }
        for client in clients { count("calls", by: client.calls.calls.count) }
    }
}
