import RocketBalancing
import RocketRPC
import RocketSimulation
import RocketSystem

// Long lists, and lists that change.

extension BalancingCase {
    /// A thousand clients, each with 20 of a hundred servers.
    static let thousandClients = BalancingCase(
        "thousand-clients",
        limits: [
            .atMost("failed", 0), .atLeast("fewest connections", 0.7),
            .atMost("most connections", 1.3), .atMost("busiest share", 1.7),
            .atLeast("idlest share", 0.4), .atLeast("least client", 0.05),
        ]
    ) { world, policy in
        world.simplifyNetwork()
        let servers = try ServerGroup(world, "server", count: 100) { _ in WorkBehaviour() }
        let clients = try ClientGroup(
            world, "clients", count: 1_000, hostCount: 50, of: servers, policy: policy
        ) { $1.waitsForReady = true }
        clients.call([.init(5_000, until: 2)])
        try world.run([clients])
        let connections = servers.connections
        let arrivals = servers.arrivals(from: .seconds(1))
        // Before their servers end: otherwise each would try for a while to connect again.
        for channel in clients.channels { channel.close() }
        var figures = BalancingFigures()
        figures.values = [
            "failed": Double(clients.calls.failed),
            "fewest connections": connections.spread.least,
            "most connections": connections.spread.most,
            "connections": Double(connections.reduce(0, +)),
            "busiest share": arrivals.spread.most, "idlest share": arrivals.spread.least,
            "p99": clients.calls.from(1).quantile(0.99),
            "least client": clients.calls.leastShare(of: 1_000),
        ]
        return figures
    }

    /// A name whose servers change ten times a second, with lookups that fail in between.
    static let flappingList = BalancingCase(
        "flapping-list",
        limits: [
            .atMost("failed", 0), .atMost("p99", 60), .atLeast("idlest share", 0.3),
            .atLeast("least client", 0.6),
        ]
    ) { world, policy in
        world.simplifyNetwork()
        var random = world.generator("lists")
        let servers = try ServerGroup(world, "server", count: 12) { _ in WorkBehaviour() }
        let clients = try ClientGroup(world, "clients", count: 5, of: servers, policy: policy) {
            $1.waitsForReady = true
        }
        for step in 1...50 {
            let list = Array(0..<12).shuffled(using: &random).prefix(
                random.chance(0.1) ? 0 : Int.random(in: 6...12, using: &random))
            world.schedule(after: .milliseconds(100 * step)) { servers.report(Array(list)) }
        }
        clients.call([.init(400, until: 6)])
        try world.run([clients])
        var figures = BalancingFigures()
        figures.values = [
            "failed": Double(clients.calls.failed), "p99": clients.calls.quantile(0.99),
            "idlest share": servers.arrivals().spread.least,
            "connects": Double(clients.channels.reduce(0) { $0 + $1.statistics.connects }),
            "least client": clients.calls.leastShare(of: 5),
        ]
        return figures
    }
}
