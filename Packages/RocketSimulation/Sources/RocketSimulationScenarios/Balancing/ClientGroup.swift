import RocketBalancing
import RocketBase
import RocketRPC
import RocketSimulation
import RocketSystem
import SwiftProtobuf

/// Clients of a group of servers, each with a channel of its own: they call at random times, whether
/// earlier calls have ended or not.
final class ClientGroup: Sendable {
    /// How many calls all clients together make in a second, until a time of the world.
    struct Phase: Sendable {
        let until: Duration
        let rate: Double

        init(_ rate: Double, until: Double) {
            self.rate = rate
            self.until = .seconds(until)
        }
    }

    private let hosts: [Host]
    let channels: [RPCChannel]
    private let records = Locked<[CallRecord]>([])
    private let open: Locked<Int>
    /// How long a call may take.
    let timeout: Duration
    /// How often a client makes a call again that has failed, at once: beside what its channel does.
    private let repetitions: Int

    /// - Parameters:
    ///   - name: of no other group; groups with the same `seed` call at the same times.
    ///   - hostCount: the hosts that have the channels.
    ///   - configure: changes the configuration of the channel of a client.
    init(
        _ world: World, _ name: String, count: Int, hostCount: Int = 1, of servers: ServerGroup,
        policy: BalancingPolicy, timeout: Duration = .seconds(1), repetitions: Int = 0,
        _ configure: (Int, inout RPCChannelConfiguration) -> Void = { _, _ in }
    ) throws {
        self.timeout = timeout
        self.repetitions = repetitions
        let hosts = try (0..<hostCount).map { try world.host("\(name)\($0)") }
        self.hosts = hosts
        channels = try (0..<count).map { client in
            var configuration = RPCChannelConfiguration()
            configuration.balancing.policy = policy
            configuration.timeout = timeout
            configure(client, &configuration)
            return try hosts[client % hostCount].channel(
                to: WorldNames.target, resolvers: [servers.names], configuration: configuration,
                isObserved: false)
        }
        open = Locked(count)
    }

    /// Begins to call. Once.
    func call(_ phases: [Phase], seed: String = "load") {
        let count = Double(channels.count)
        for (number, channel) in channels.enumerated() {
            let host = hosts[number % hosts.count]
            let generator = host.world.generator("\(seed) of \(number)")
            host.run { [self] in
                var random = generator
                try await withThrowingDiscardingTaskGroup { group in
                    for phase in phases {
                        while host.world.elapsed < phase.until {
                            let wait = random.exponential() * count / phase.rate
                            try await host.sleep(for: .seconds(wait))
                            group.addTask { await self.one(on: channel, number, host) }
                        }
                    }
                }
                open.withLock { $0 -= 1 }
            }
        }
    }

    private func one(on channel: RPCChannel, _ client: Int, _ host: Host) async {
        let start = host.world.elapsed
        var server: Int?
        var tries = 0
        repeat {
            tries += 1
            server = try? await Int(
                channel.call(WorkService.work, Payload(), options: .idempotent).value.first ?? 0)
        } while server == nil && tries <= repetitions
        let record = CallRecord(
            began: start / .seconds(1), took: (host.world.elapsed - start) / .seconds(1),
            client: client, server: server, tries: tries)
        records.withLock { $0.append(record) }
    }

    /// Whether all calls have ended.
    var isDone: Bool { open.withLock { $0 == 0 } }

    /// The calls that have ended.
    var calls: CallRecords {
        CallRecords(records.withLock { $0 }, timeout: timeout / .seconds(1))
    }
}

extension SeededGenerator {
    /// A number of the exponential distribution with the mean 1, without a logarithm (von Neumann,
    /// 1951): the same on each machine.
    mutating func exponential() -> Double {
        var whole = 0.0
        while true {
            let first = Double.random(in: 0..<1, using: &self)
            var last = first
            var isOdd = true
            while true {
                let next = Double.random(in: 0..<1, using: &self)
                if next >= last { break }
                last = next
                isOdd.toggle()
            }
            if isOdd { return whole + first }
            whole += 1
        }
    }
}
