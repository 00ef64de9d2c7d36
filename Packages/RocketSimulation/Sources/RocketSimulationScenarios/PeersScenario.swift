import RocketReactor
import RocketRPC
public import RocketSimulation
import RocketSystem
import RocketTCP

extension Scenario {
    /// Peers that read slowly or not at all, that close their side at once or stop in the middle of a
    /// frame. A server holds no more for them than it may, closes those that make no progress, and
    /// answers all the others.
    public static let peers = Scenario(name: "peers") { world, faults in
        var random = world.generator("peers")
        let isTight = random.chance(0.5)
        let budget = ByteBudget(limitBytes: isTight ? 1 << 20 : 64 << 20)
        let server = try world.host("server") { host in
            try host.serve([EchoService(host: host)], port: 80) {
                $0.ioThreads = 2
                $0.tcp.budget = budget
                $0.tcp.connection.writeTimeout = .seconds(5)
                $0.tcp.connection.partialInputTimeout = .seconds(5)
            }
        }
        // An eighth above the limit is the ceiling for what loops learn of each other too late.
        world.always(.limit) {
            let held = budget.heldBytes
            return held > budget.limitBytes + budget.limitBytes / 8
                ? "\(held) bytes are held; the limit is \(budget.limitBytes)" : nil
        }
        let open = Locked(0)
        for number in 0..<Int.random(in: 1...6, using: &random) {
            let client = try world.host("peer\(number)")
            client.socketLimits.receiveBufferBytes = Int.random(in: 4096...65_536, using: &random)
            let behaviour = RawPeer.Behaviour.allCases[
                Int.random(in: 0..<RawPeer.Behaviour.allCases.count, using: &random)]
            let plan = RawPeer.Plan(
                behaviour: behaviour, requests: Int.random(in: 1...40, using: &random),
                bytes: Int.random(in: 1...20_000, using: &random),
                needsAllReplies: !isTight && [.endsWriting, .slow].contains(behaviour))
            open.withLock { $0 += 1 }
            client.loop.execute { reactor in
                let peer = RawPeer(plan, world) { open.withLock { $0 -= 1 } }
                TCPClient.connect(
                    to: [server.address(port: 80)], on: reactor, timeout: .seconds(10),
                    configuration: RawPeer.configuration, handler: peer
                ) { result in
                    if case .failure(let error) = result {
                        world.violated(.custom, "a peer can't connect: \(error)")
                    }
                }
            }
        }
        let client = try world.host("client")
        let channel = try client.channel(to: server, port: 80)
        let seed = random.next()
        open.withLock { $0 += 1 }
        client.run {
            for number in UInt64(0)..<100 {
                try await channel.echoAnything(seed &+ number, on: client)
                try await client.sleep(for: .milliseconds(100))
            }
            open.withLock { $0 -= 1 }
        }
        faults.apply([], to: world, hosts: [])
        try world.run(atMost: .seconds(120)) { open.withLock { $0 } == 0 }
        try world.close()
    }
}
