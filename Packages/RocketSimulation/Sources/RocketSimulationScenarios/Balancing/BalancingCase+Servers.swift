import RocketBalancing
import RocketBase
import RocketRPC
import RocketSimulation
import RocketSystem

// Servers that differ: one is slow, one fails, some are new, some are lost.

extension BalancingCase {
    /// Of ten servers one is ten times slower. Beside them ten equal ones, whose clients call at the
    /// same times.
    static let oneSlow = BalancingCase(
        "one-slow", limits: [.atMost("p99 ratio", 1.3), .atMost("failed", 0)]
    ) { world, policy in
        world.simplifyNetwork()
        var groups: [ClientGroup] = []
        var slow: ServerGroup?
        for name in ["equal", "slow"] {
            let servers = try ServerGroup(world, name, count: 10) { number in
                var behaviour = WorkBehaviour()
                behaviour.workers = 2
                if name == "slow", number == 0 { behaviour.slowness = { _ in 10 } }
                return behaviour
            }
            slow = servers
            let clients = try ClientGroup(
                world, "clients-\(name)", count: 4, of: servers, policy: policy)
            clients.call([.init(1_000, until: 10)])
            groups.append(clients)
        }
        try world.run(groups)
        let (none, one) = (groups[0].calls.from(1), groups[1].calls.from(1))
        var figures = BalancingFigures()
        figures.values = [
            "p99 none": none.quantile(0.99), "p99": one.quantile(0.99),
            "p99 ratio": one.quantile(0.99) / none.quantile(0.99),
            "p50": one.quantile(0.5),
            "failed": Double(none.failed + one.failed),
            "slow share": slow?.arrivals(from: .seconds(1)).share(of: 0) ?? 0,
        ]
        figures.series["p99"] = groups[1].calls.slowest(each: 0.25, to: 10)
        return figures
    }

    /// Of ten servers one answers each call with an error at once, from the second second on.
    static let oneFailing = BalancingCase(
        "one-failing",
        limits: [.atMost("share after 5 s", 0.02), .atMost("failed", 0.01)]
    ) { try oneFailing($0, $1, isEjected: true) }

    /// The same without ejection.
    static let oneFailingNeverEjected = BalancingCase("one-failing-never-ejected", limits: []) {
        try oneFailing($0, $1, isEjected: false)
    }

    private static func oneFailing(
        _ world: World, _ policy: BalancingPolicy, isEjected: Bool
    ) throws -> BalancingFigures {
        world.simplifyNetwork()
        let servers = try ServerGroup(world, "server", count: 10) { number in
            var behaviour = WorkBehaviour()
            if number == 0 { behaviour.refusal = { $0 >= .seconds(2) ? .internal : nil } }
            return behaviour
        }
        let clients = try ClientGroup(
            world, "clients", count: 5, of: servers, policy: policy
        ) { if !isEjected { $1.balancing.outliers = nil } }
        clients.call([.init(500, until: 10)])
        try world.run([clients])
        var figures = BalancingFigures()
        figures.values = [
            "share after 5 s": servers.arrivals(from: .seconds(7)).share(of: 0),
            "share in 5 s": servers.arrivals(from: .seconds(2), to: .seconds(7)).share(of: 0),
            "failed": 1 - clients.calls.from(2).successRate,
        ]
        figures.series["share"] = (0..<20).map {
            servers.arrivals(from: .seconds(Double($0) / 2), to: .seconds(Double($0 + 1) / 2))
                .share(of: 0)
        }
        return figures
    }

    /// All clients and servers start at the same time, and the first calls of a server take five times
    /// as long. Three seconds later a server joins.
    static let coldStart = BalancingCase(
        "cold-start",
        limits: [
            .atMost("failed", 0), .atMost("busiest share", 2), .atMost("p99 later", 100),
            .atMost("new share at first", 2), .atLeast("new share later", 0.1),
            .atLeast("least client", 0.6),
        ]
    ) { world, policy in
        world.simplifyNetwork()
        let servers = try ServerGroup(world, "server", count: 10) { _ in
            var behaviour = WorkBehaviour()
            behaviour.coldCalls = 20
            return behaviour
        }
        let isNew = 9
        servers.report(Array(0..<isNew))
        let clients = try ClientGroup(
            world, "clients", count: 20, of: servers, policy: policy, timeout: .seconds(2)
        ) { $1.waitsForReady = true }
        clients.call([.init(500, until: 28)])
        world.schedule(after: .seconds(3)) { servers.report() }
        try world.run([clients])
        var figures = BalancingFigures()
        let first = servers.arrivals(to: .seconds(1)).dropLast()
        figures.values = [
            "failed": Double(clients.calls.failed),
            "busiest share": Array(first).spread.most,
            "p99 at first": clients.calls.from(0, to: 2).quantile(0.99),
            "p99 later": clients.calls.from(6).quantile(0.99),
            "new share at first":
                servers.arrivals(from: .seconds(3), to: .seconds(4)).share(of: isNew) * 10,
            "new share later": servers.arrivals(from: .seconds(23)).share(of: isNew) * 10,
            "least client": clients.calls.leastShare(of: 20),
        ]
        figures.series["p99"] = clients.calls.slowest(each: 0.5, to: 10)
        figures.series["new share"] = (0..<20).map {
            servers.arrivals(from: .seconds(Double($0) / 2), to: .seconds(Double($0 + 1) / 2))
                .share(of: isNew) * 10
        }
        return figures
    }

    /// Three zones with three servers each, and clients that prefer theirs. From the third to the eighth
    /// second a zone has no power: its clients learn that from calls that get no reply.
    static let zoneLost = BalancingCase(
        "zone-lost",
        limits: [
            // The calls of one time-out to a third of the servers: a sixth of about 450.
            .atMost("failed at first", 0.27), .atMost("failed later", 0),
            .atLeast("at home before", 0.99), .atLeast("at home again", 0.8),
            .atLeast("least client", 0.6),
        ]
    ) { world, policy in
        world.simplifyNetwork()
        let zones = ["a", "b", "c"]
        let servers = try ServerGroup(world, "server", count: 9) { _ in WorkBehaviour() }
        servers.report(zones: (0..<9).map { zones[$0 / 3] })
        let clients = try ClientGroup(
            world, "clients", count: 6, of: servers, policy: policy, timeout: .milliseconds(500)
        ) { client, configuration in
            configuration.balancing.zonePreference.zone = zones[client / 2]
        }
        clients.call([.init(450, until: 14)])
        for host in servers.hosts[0..<3] {
            world.schedule(after: .seconds(3)) { host.losePower() }
            world.schedule(after: .seconds(8)) { try? host.start() }
        }
        try world.run([clients])
        let calls = clients.calls
        func atHome(_ start: Double, _ end: Double) -> Double {
            let answered = calls.from(start, to: end).calls.filter { $0.server != nil }
            let near = answered.count { ($0.server ?? 0) / 3 == $0.client / 2 }
            return Double(near) / Double(Swift.max(1, answered.count))
        }
        var figures = BalancingFigures()
        figures.values = [
            "failed at first": 1 - calls.from(3, to: 4).successRate,
            "failed later": 1 - calls.from(5).successRate,
            "p99 while lost": calls.from(5, to: 8).quantile(0.99),
            "at home before": atHome(1, 2.9), "at home again": atHome(13, 14),
            "least client": calls.leastShare(of: 6),
        ]
        figures.series["goodput"] = calls.goodput(each: 0.5, to: 14)
        return figures
    }
}
