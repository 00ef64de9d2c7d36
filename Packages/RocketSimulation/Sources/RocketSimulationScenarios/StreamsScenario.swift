import RocketBase
import RocketRPC
public import RocketSimulation
import RocketSystem

extension Scenario {
    /// Streams of all kinds between one or two servers and their clients: one or several writers,
    /// small and large messages, windows of any size, readers that are slow, stop and leave, calls
    /// that are cancelled or time out, while everything goes wrong. The messages of a call arrive in
    /// order, none twice, and none is missing of a call that succeeds. Then all is well, and on the
    /// connections that are left more is transferred than one may carry without new credit.
    public static let streams = Scenario(name: "streams") { world, faults in
        try streams(world, faults, .tinyPB)
    }

    /// The same over gRPC.
    public static let streamsGRPC = Scenario(name: "streams-grpc") { world, faults in
        try streams(world, faults, .grpc)
    }

    /// The same over gRPC and TLS.
    public static let streamsGRPCTLS = Scenario(name: "streams-grpc-tls") { world, faults in
        try WorldWire.secured(world, isGRPC: true) { try streams(world, faults, $0) }
    }

    private static func streams(_ world: World, _ faults: Faults, _ wire: WorldWire) throws {
        var random = world.generator("streams")
        var servers: [Host] = []
        for number in 0..<Int.random(in: 1...2, using: &random) {
            let seed = random.next()
            servers.append(
                try world.host("server\(number)") { host in
                    // The next process may have others than the one before.
                    var generator = SeededGenerator(seed: seed &+ host.starts)
                    let limits = StreamLoad.limits(using: &generator)
                    try host.serve([TransferService(host: host)], port: 80) {
                        $0.ioThreads = 2
                        $0.limits.streams = limits
                        wire.server(&$0)
                    }
                })
        }
        let span = Duration.seconds(10)
        let targets = servers
        let planned = Int.random(in: 0...8, using: &random)
        let calm = Locked(Duration.seconds(1_000_000))
        let open = Locked(Set<Int>())
        var clients: [Host] = []
        for number in 0..<Int.random(in: 1...2, using: &random) {
            let seed = random.next()
            clients.append(
                try world.host("client\(number)") { host in
                    for (index, target) in targets.enumerated() {
                        var generator = SeededGenerator(seed: seed &+ host.starts &+ UInt64(index))
                        let channel = try host.channel(
                            to: [target.address(port: 80)],
                            configuration: wire.channel(StreamLoad.channel(using: &generator)))
                        let load = StreamLoad(
                            host: host, channel: channel, seed: generator.next())
                        let name = number * targets.count + index
                        _ = open.withLock { $0.insert(name) }
                        host.run {
                            try await load.run(until: span)
                            while world.elapsed < calm.withLock({ $0 }) {
                                try await host.sleep(for: .milliseconds(100))
                            }
                            while !(await load.succeeds()) {
                                try await host.sleep(for: .milliseconds(100))
                            }
                            _ = open.withLock { $0.remove(name) }
                        }
                    }
                })
        }
        let hosts = servers + clients
        let plan = Fault.plan(planned, hosts: hosts.count, within: span, using: &random)
        let end = faults.apply(plan, to: world, hosts: hosts)
        let wellAgain = max(end, span) + .seconds(20)
        calm.withLock { $0 = wellAgain }
        try world.run(for: wellAgain)
        try world.run(atMost: .seconds(100)) { open.withLock { $0.isEmpty } }
        try world.close()
    }
}
