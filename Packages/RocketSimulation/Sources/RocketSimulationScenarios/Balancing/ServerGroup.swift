import RocketBase
import RocketReactor
import RocketRPC
import RocketSimulation
import RocketSystem
import RocketTCP

/// Servers behind one name, each on a host of its own.
final class ServerGroup: Sendable {
    let hosts: [Host]
    private let queues: [WorkerQueue]
    let names = WorldNames()

    /// - Parameters:
    ///   - name: of no other group.
    ///   - configure: changes the configuration of each server.
    init(
        _ world: World, _ name: String, count: Int,
        configure: @escaping @Sendable (inout RPCServerConfiguration) -> Void = { _ in },
        _ behaviour: (Int) -> WorkBehaviour
    ) throws {
        var hosts: [Host] = []
        var queues: [WorkerQueue] = []
        for number in 0..<count {
            let queue = WorkerQueue(
                behaviour(number), world.generator("work of \(name) \(number)"))
            queues.append(queue)
            hosts.append(
                try world.host("\(name)\(number)") { host in
                    queue.restart()
                    let service = WorkService(host: host, queue: queue, number: UInt8(number))
                    try host.serve([service], port: 80, isObserved: false, configure)
                })
        }
        self.hosts = hosts
        self.queues = queues
        report()
    }

    /// The name reports these servers.
    ///
    /// - Parameter zones: the zone of each server; empty: none.
    func report(_ numbers: [Int]? = nil, zones: [String] = []) {
        names.report(
            (numbers ?? Array(hosts.indices)).map { number in
                var endpoint = RPCEndpoint([hosts[number].address(port: 80)])
                if !zones.isEmpty { endpoint.zone = zones[number] }
                return endpoint
            })
    }

    /// How many connections each server has now.
    var connections: [Int] { hosts.map { $0.connectionCount(port: 80) } }

    /// How many calls each server has had between two times of the world, refused ones included.
    func arrivals(from start: Duration = .zero, to end: Duration = .seconds(3600)) -> [Int] {
        queues.map { $0.arrivals.count { $0 >= start && $0 < end } }
    }
}

/// The resolver of the name `world:servers`, whose lists a scenario makes.
final class WorldNames: RPCResolver {
    private struct State {
        var endpoints: [RPCEndpoint] = []
        var reports: [RPCResolverReport] = []
    }

    private let state = Locked(State())

    static let target = "world:servers"

    var schemes: [String] { ["world"] }

    func check(_ target: RPCTarget) throws(RPCError) {}

    func start(
        _ target: RPCTarget, on reactor: Reactor, report: RPCResolverReport
    ) -> any RPCResolution {
        let endpoints = state.withLock {
            $0.reports.append(report)
            return $0.endpoints
        }
        report.found(endpoints)
        return Resolution()
    }

    /// Reports a list to all channels; an empty one is a failure.
    func report(_ endpoints: [RPCEndpoint]) {
        let reports = state.withLock {
            if !endpoints.isEmpty { $0.endpoints = endpoints }
            return $0.reports
        }
        for report in reports { report.found(endpoints) }
    }

    private final class Resolution: RPCResolution {
        func refresh() {}
        func cancel() {}
    }
}
