import RocketRPC
public import RocketSimulation
import RocketSystem
import RocketTCP

extension Scenario {
    /// Servers are drained and started again while clients call them through a chain. Each call waits
    /// until a server is ready, and none fails: not one that has begun, nor one that comes too late.
    public static let restart = Scenario(name: "restart") { world, faults in
        try restart(world, faults, .tinyPB)
    }

    /// The same over TLS: everybody has a certificate.
    public static let restartTLS = Scenario(name: "restart-tls") { world, faults in
        try WorldWire.secured(world) { try restart(world, faults, $0) }
    }

    /// The same over gRPC.
    public static let restartGRPC = Scenario(name: "restart-grpc") { world, faults in
        try restart(world, faults, .grpc)
    }

    /// The same over gRPC and TLS.
    public static let restartGRPCTLS = Scenario(name: "restart-grpc-tls") { world, faults in
        try WorldWire.secured(world, isGRPC: true) { try restart(world, faults, $0) }
    }

    private static func restart(
        _ world: World, _ faults: Faults, _ wire: WorldWire
    ) throws {
        var random = world.generator("restart")
        var patient = RPCChannelConfiguration()
        patient.waitsForReady = true
        patient.timeout = .seconds(60)
        patient.poolSize = Int.random(in: 1...2, using: &random)
        let configuration = wire.channel(patient)
        // Calls without interceptors and metadata go shorter ways, and are not observed. They succeed
        // all the same, and each gets its own reply.
        let isObserved = random.chance(0.5)

        var servers: [Host] = []
        for number in (0..<Int.random(in: 1...3, using: &random)).reversed() {
            let next = servers.last
            servers.append(
                try world.host("server\(number)") { host in
                    let channel = try next.map { next in
                        try host.channel(
                            to: [next.address(port: 80)], configuration: configuration,
                            interceptors: isObserved ? [InheritedDeadline(host: host)] : [],
                            isObserved: isObserved)
                    }
                    try host.serve(
                        [EchoService(host: host, next: channel)], port: 80, isObserved: isObserved
                    ) {
                        $0.ioThreads = 2
                        $0.drainTimeout = .seconds(30)
                        wire.server(&$0)
                    }
                })
        }
        let span = Duration.seconds(20)
        let open = Locked(0)
        for number in 0..<Int.random(in: 1...3, using: &random) {
            let client = try world.host("client\(number)")
            for target in servers {
                let channel = try client.channel(
                    to: [target.address(port: 80)], configuration: configuration,
                    isObserved: isObserved)
                let seed = random.next()
                open.withLock { $0 += 1 }
                client.run {
                    var random = SeededGenerator(seed: seed)
                    while world.elapsed < span {
                        let seeds = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                            random.next()
                        }
                        try await withThrowingTaskGroup { group in
                            for seed in seeds {
                                group.addTask { try await channel.echoAnything(seed, on: client) }
                            }
                            try await group.waitForAll()
                        }
                        try await client.sleep(
                            for: random.duration(in: .zero...(.milliseconds(800))))
                    }
                    open.withLock { $0 -= 1 }
                }
            }
        }
        let plan = Fault.plan(
            Int.random(in: 1...8, using: &random), of: [.drain, .calendar], hosts: servers.count,
            within: span, using: &random)
        let end = faults.apply(plan, to: world, hosts: servers)
        try world.run(for: max(span, end))
        try world.run(atMost: .seconds(60)) { open.withLock { $0 } == 0 }
        try world.close()
    }
}

extension RPCChannel {
    /// Makes one call of any kind.
    ///
    /// - Throws: the error of the call.
    func echoAnything(_ seed: UInt64, on host: Host) async throws {
        var random = SeededGenerator(seed: seed)
        let methods = EchoService.all
        let method = methods[Int.random(in: 0..<methods.count, using: &random)]
        let request = Payload.pattern(Int.random(in: 1...20_000, using: &random), using: &random)
        let reply = try await call(method, request)
        if reply != request {
            host.world.violated(.reply, "a reply of another call: \(method.fullName)")
        }
        host.world.count("replies")
    }
}
