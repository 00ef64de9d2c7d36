import FoundationEssentials
import RocketBase
import RocketRPC
public import RocketSimulation
import RocketSystem
import SwiftProtobuf

extension Scenario {
    /// One to five hosts: a chain of servers, and clients that call all of them, at once and in
    /// bursts, with short and long deadlines, some cancelled, while everything goes wrong; then all
    /// is well, and every client's calls succeed.
    public static let rpc = Scenario(name: "rpc") { world, faults in
        var random = world.generator("rpc")
        let serverCount = Int.random(in: 1...3, using: &random)
        var servers: [Host] = []
        for number in (0..<serverCount).reversed() {
            let next = servers.last
            servers.append(
                try world.host("server\(number)") { host in
                    let channel = try next.map { try host.channel(to: $0, port: 80) }
                    try host.serve([EchoService(host: host, next: channel)], port: 80) {
                        $0.ioThreads = 2
                    }
                })
        }
        let span = Duration.seconds(20)
        let targets = servers
        var clients: [Host] = []
        for number in 0..<Int.random(in: 1...2, using: &random) {
            let seed = random.next()
            clients.append(
                try world.host("client\(number)") { host in
                    for target in targets {
                        var generator = SeededGenerator(seed: seed &+ host.starts)
                        let channel = try host.channel(
                            to: [target.address(port: 80)],
                            configuration: RPCLoad.channel(using: &generator))
                        let load = RPCLoad(
                            host: host, channel: channel, until: span, seed: generator.next())
                        host.run { try await load.run() }
                    }
                })
        }
        let hosts = servers + clients
        let planned = Fault.plan(
            Int.random(in: 0...12, using: &random), hosts: hosts.count, within: span,
            using: &random)
        let end = faults.apply(planned, to: world, hosts: hosts)
        try world.run(for: max(end, span) + .seconds(20))
        try succeed(world, clients, targets)
        try world.close()
    }

    /// Once faults have stopped, calls succeed. Each is made until it does: the first one may fail
    /// on a connection whose other end lost its power, which its host learns from the answer only.
    private static func succeed(_ world: World, _ clients: [Host], _ targets: [Host]) throws {
        let open = Locked(clients.count * targets.count)
        for client in clients {
            for target in targets {
                let channel = try client.channel(to: target, port: 80)
                client.run {
                    while !(await reaches(channel)) {
                        try await client.sleep(for: .milliseconds(100))
                    }
                    open.withLock { $0 -= 1 }
                }
            }
        }
        try world.run(atMost: .seconds(60)) { open.withLock { $0 } == 0 }
    }

    /// Whether a call through the whole chain succeeds.
    private static func reaches(_ channel: RPCChannel) async -> Bool {
        (try? await channel.call(
            EchoService.chain, Payload(), timeout: .seconds(10), options: .waitForReady)) != nil
    }
}

/// The calls that one client makes to one server. A value.
struct RPCLoad: Sendable {
    let host: Host
    let channel: RPCChannel
    /// The virtual time of the world at which it ends.
    let until: Duration
    let seed: UInt64

    static func channel(using random: inout SeededGenerator) -> RPCChannelConfiguration {
        var configuration = RPCChannelConfiguration()
        configuration.poolSize = Int.random(in: 1...3, using: &random)
        configuration.waitsForReady = random.chance(0.5)
        configuration.timeout = random.duration(in: .milliseconds(200)...(.seconds(3)))
        return configuration
    }

    func run() async throws {
        var random = SeededGenerator(seed: seed)
        while host.world.elapsed < until {
            let burst = random.chance(0.2) ? Int.random(in: 2...40, using: &random) : 1
            let seeds = (0..<burst).map { _ in random.next() }
            try await withThrowingTaskGroup { group in
                for seed in seeds { group.addTask { try await one(seed) } }
                try await group.waitForAll()
            }
            try await host.sleep(for: random.duration(in: .milliseconds(1)...(.milliseconds(500))))
        }
    }

    /// One call, which may be cancelled.
    private func one(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let methods = [EchoService.echo, EchoService.now, EchoService.later, EchoService.chain]
        let method = methods[Int.random(in: 0..<methods.count, using: &random)]
        let size =
            random.chance(0.05)
            ? Int.random(in: 0...200_000, using: &random) : Int.random(in: 0...500, using: &random)
        let word = random.next()
        // An array first: bytes that are appended to Data one by one took half of a run's time.
        let bytes = (0...size).map { UInt8(truncatingIfNeeded: word >> ($0 % 8 * 8)) }
        let request = Payload.with { $0.value = Data(bytes) }
        let timeout =
            random.chance(0.5) ? random.duration(in: .milliseconds(1)...(.seconds(2))) : nil
        var options = RPCCallOptions()
        options.isIdempotent = random.chance(0.3)
        let cancelsAfter =
            random.chance(0.1) ? random.duration(in: .zero...(.milliseconds(300))) : nil
        let chosen = options
        await withTaskGroup { group in
            group.addTask {
                do {
                    let reply = try await channel.call(
                        method, request, timeout: timeout, options: chosen)
                    if reply != request {
                        host.world.violated(.reply, "a reply of another call: \(method.fullName)")
                    }
                } catch {
                    // While things go wrong, calls fail; the history of calls checks how.
                }
            }
            if let cancelsAfter {
                try? await host.sleep(for: cancelsAfter)
                group.cancelAll()
            }
        }
    }
}
