import RocketBalancing
import RocketBase
import RocketBaseTestKit
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

@Suite struct HedgingInterleavingTests {
    /// The network, three servers, their list, the clock and the callers act in random order.
    @Test(
        "Any interleaving ends each call exactly once, and leaves nothing behind", arguments: 0..<60
    )
    func everyInterleaving(seed: UInt64) throws {
        var world = try World(seed: seed)
        for _ in 0..<1500 {
            world.step()
            try #require(world.calls.allSatisfy { $0.ends.count <= 1 })
            let open = world.calls.count { $0.ends.isEmpty }
            try #require(world.channel.statistics.callsInFlight == open)
        }
        #expect(world.channel.statistics.hedges > 0)
        for call in world.calls { world.channel.core.cancel(call.outgoing) }
        #expect(world.calls.allSatisfy { $0.ends.count == 1 })
        let core = world.channel.core
        #expect(core.pending.count == 0 && core.hedged.twiceInFlight == 0)
        #expect(core.hedged.earliest == nil)
        // What a connection's end has ended was taken from the balancer, too.
        #expect((0..<16).allSatisfy { core.endpoints.balancer.callsInFlight(at: $0) == 0 })
        core.close()
        #expect(world.channel.statistics.callsInFlight == 0)
    }

    struct World {
        var random: SplitMix
        let channel: DrivenChannel
        var calls: [FakeCall] = []
        /// What each transport has received, and whether it is connected.
        var received: [ObjectIdentifier: [String]] = [:]
        var state: [ObjectIdentifier: Bool] = [:]
        static let servers = (1...4).map { NetAddress.loopback(port: $0) }

        init(seed: UInt64) throws {
            random = SplitMix(seed: seed)
            let servers = Self.servers
            channel = try DrivenChannel(
                random: SplitMix(seed: seed &+ 1),
                to: .fixed(servers.prefix(3).map { RPCEndpoint([$0]) })
            ) {
                $0.connectBackOff = BackOff(first: .milliseconds(10), most: .milliseconds(40))
                $0.retry.backOff = BackOff(first: .milliseconds(5), most: .milliseconds(20))
                $0.retry.budget = RetryBudget(percent: 100, minimumPerSecond: 100)
                $0.maxCallsInFlight = 200
                $0.poolSize = seed % 2 == 0 ? 1 : 2
                var hedging = HedgePolicy(samples: 1)
                hedging.quantile = 0.3
                $0.methods["t.T.m", default: .init()].hedging = hedging
            }
        }

        mutating func step() {
            switch Int.random(in: 0..<16, using: &random) {
            case 0..<4: start()
            case 4..<6: connect()
            case 6..<10: reply()
            case 10: end()
            case 11:
                if let transport = connected() {
                    if transport.isWritable { transport.fill() } else { transport.makeRoom() }
                }
            case 12:
                if Int.random(in: 0..<4, using: &random) == 0,
                    let call = calls.randomElement(using: &random)
                {
                    channel.core.cancel(call.outgoing)
                }
            case 13:
                if Int.random(in: 0..<20, using: &random) == 0 {
                    let count = Int.random(in: 1...4, using: &random)
                    channel.core.replace(
                        Self.servers.shuffled(using: &random).prefix(count).map {
                            RPCEndpoint([$0])
                        })
                }
            default:
                channel.tick(after: .milliseconds(Int.random(in: 0...10, using: &random)))
            }
        }

        private mutating func start() {
            let timeout = Duration.milliseconds(Int.random(in: 0...200, using: &random))
            let (isIdempotent, hasPolicy) = (
                Int.random(in: 0..<5, using: &random) > 0, Int.random(in: 0..<8, using: &random) > 0
            )
            calls.append(
                channel.start(timeout: timeout) {
                    if hasPolicy {
                        $0.outgoing.policy = channel.core.settings.policies?.find(
                            $0.outgoing.method)
                    }
                    $0.parameters.isIdempotent = isIdempotent
                    $0.parameters.waitsForReady = true
                })
        }

        private mutating func connect() {
            let waiting = channel.connector.made.filter { state[ObjectIdentifier($0)] == nil }
            guard let transport = waiting.randomElement(using: &random) else { return }
            let isAccepted = Int.random(in: 0..<5, using: &random) > 0
            state[ObjectIdentifier(transport)] = isAccepted
            if isAccepted { transport.connect() } else { transport.refuse() }
        }

        private mutating func connected() -> FakeTransport? {
            channel.connector.made.filter { state[ObjectIdentifier($0)] == true }
                .randomElement(using: &random)
        }

        private mutating func reply() {
            guard let transport = connected() else { return }
            let key = ObjectIdentifier(transport)
            for request in transport.requests() where request.method != "rocket.cancel" {
                received[key, default: []].append(request.id)
            }
            guard let ids = received[key], !ids.isEmpty else { return }
            // Mostly once, and mostly of the latest.
            let index = ids.indices.suffix(6).randomElement(using: &random) ?? 0
            let id = ids[index]
            if Int.random(in: 0..<10, using: &random) > 0 { received[key]?.remove(at: index) }
            let codes: [RPCErrorCode] = [.unavailable, .peerClosed, .internal, .permissionDenied]
            let isError = Int.random(in: 0..<4, using: &random) == 0
            let code = isError ? codes.randomElement(using: &random) : nil
            transport.reply(to: id, code: code ?? .init(rawValue: 0))
        }

        private mutating func end() {
            guard let transport = connected(),
                transport.closing != nil || Int.random(in: 0..<4, using: &random) == 0
            else { return }
            transport.take(Int.random(in: 0...transport.unsentBytes, using: &random))
            state[ObjectIdentifier(transport)] = false
            transport.end()
        }
    }
}
