import RocketBase
import RocketRPC
public import RocketSimulation
import RocketSystem
import RocketTCP
import SwiftProtobuf

extension Scenario {
    /// One to five hosts: a chain of servers, and clients that call all of them, at once and in
    /// bursts, with short and long deadlines, some cancelled, while everything goes wrong; then all
    /// is well, and every client's calls succeed.
    public static let rpc = Scenario(name: "rpc") { world, faults in
        try rpc(world, faults, .tinyPB)
    }

    /// The same over TLS: everybody has a certificate.
    public static let rpcTLS = Scenario(name: "rpc-tls") { world, faults in
        try WorldWire.secured(world) { try rpc(world, faults, $0) }
    }

    /// The same over gRPC.
    public static let rpcGRPC = Scenario(name: "rpc-grpc") { world, faults in
        try rpc(world, faults, .grpc)
    }

    /// The same over gRPC and TLS.
    public static let rpcGRPCTLS = Scenario(name: "rpc-grpc-tls") { world, faults in
        try WorldWire.secured(world, isGRPC: true) { try rpc(world, faults, $0) }
    }

    private static func rpc(
        _ world: World, _ faults: Faults, _ wire: WorldWire
    ) throws {
        var random = world.generator("rpc")
        let serverCount = Int.random(in: 1...3, using: &random)
        var servers: [Host] = []
        for number in (0..<serverCount).reversed() {
            let next = servers.last
            servers.append(
                try world.host("server\(number)") { host in
                    let channel = try next.map { next in
                        try host.channel(
                            to: [next.address(port: 80)],
                            configuration: wire.channel(RPCChannelConfiguration()),
                            interceptors: [InheritedDeadline(host: host)])
                    }
                    try host.serve([EchoService(host: host, next: channel)], port: 80) {
                        $0.ioThreads = 2
                        wire.server(&$0)
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
                            configuration: wire.channel(RPCLoad.channel(using: &generator)))
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
        try succeed(world, clients, targets, wire)
        try world.close()
    }

    /// Once faults have stopped, calls succeed. Each is made until it does: the first one may fail
    /// on a connection whose other end lost its power, which its host learns from the answer only.
    private static func succeed(
        _ world: World, _ clients: [Host], _ targets: [Host], _ wire: WorldWire
    ) throws {
        let open = Locked(clients.count * targets.count)
        for client in clients {
            for target in targets {
                let channel = try client.channel(
                    to: target, port: 80, configuration: wire.channel(.init()))
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
