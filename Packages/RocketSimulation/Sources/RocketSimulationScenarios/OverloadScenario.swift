import RocketBase
import RocketRPC
public import RocketSimulation
import RocketSystem
import SwiftProtobuf

extension Scenario {
    /// Clients send far more than a server may work on. No more calls than its limits allow run at
    /// once, the others fail at once with an error that says so, no connection is lost; and what
    /// comes after the overload succeeds.
    public static let overload = Scenario(name: "overload") { world, faults in
        var random = world.generator("overload")
        var limits = RPCCallLimits()
        // Room for one call of each client, once the overload is over.
        limits.maxCalls = Int.random(in: 4...20, using: &random)
        limits.maxCallsPerConnection = Int.random(in: 1...limits.maxCalls, using: &random)
        let allowed = limits
        let server = try world.host("server") { host in
            try host.serve([EchoService(host: host)], port: 80) {
                $0.ioThreads = 2
                $0.limits = allowed
            }
        }

        let span = Duration.seconds(3)
        let open = Locked(0)
        for number in 0..<Int.random(in: 1...4, using: &random) {
            let client = try world.host("client\(number)")
            var configuration = RPCChannelConfiguration()
            configuration.poolSize = Int.random(in: 1...3, using: &random)
            let channel = try client.channel(to: server, port: 80, configuration: configuration)
            let seed = random.next()
            open.withLock { $0 += 1 }
            client.run {
                try await overload(channel, client, until: span, seed)
                // The last of those calls have ended on the server, too.
                try await client.sleep(for: .seconds(2))
                for _ in 0..<20 { try await channel.echoAnything(seed, on: client) }
                open.withLock { $0 -= 1 }
            }
        }
        let plan = Fault.plan(
            Int.random(in: 0...2, using: &random), of: [.pause], hosts: 1, within: span,
            longest: .seconds(1), using: &random)
        faults.apply(plan, to: world, hosts: [server])
        try world.run(atMost: .seconds(30)) { open.withLock { $0 } == 0 }
        try world.close()
    }

    /// Makes calls, whether earlier ones have ended or not.
    private static func overload(
        _ channel: RPCChannel, _ client: Host, until end: Duration, _ seed: UInt64
    ) async throws {
        var random = SeededGenerator(seed: seed)
        try await withThrowingTaskGroup { group in
            while client.world.elapsed < end {
                for _ in 0..<Int.random(in: 1...10, using: &random) {
                    let milliseconds = UInt8.random(in: .min ... .max, using: &random)
                    let timeout = random.duration(in: .milliseconds(50)...(.seconds(1)))
                    group.addTask {
                        do {
                            _ = try await channel.call(
                                EchoService.later, .with { $0.value = .init([milliseconds]) },
                                timeout: timeout)
                        } catch let error as RPCError
                            where error.code == .resourceExhausted || error.code == .callTimeout
                        {}
                    }
                }
                try await client.sleep(for: random.duration(in: .zero...(.milliseconds(60))))
            }
            try await group.waitForAll()
        }
    }
}
