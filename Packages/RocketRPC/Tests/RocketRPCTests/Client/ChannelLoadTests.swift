import RocketBalancing
import RocketBase
import RocketBaseTestKit
import RocketCodec
import RocketSystem
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

/// A channel that balances by what its servers report.
@Suite struct ChannelLoadTests {
    static let fast = NetAddress.loopback(port: 1)
    static let slow = NetAddress.loopback(port: 2)

    /// A server that takes a time for each call, and reports its load as servers do.
    final class Server {
        let address: NetAddress
        let work: Duration
        private var meter: LoadMeter
        private var waited: UInt64 = 0
        private(set) var calls = 0

        init(_ address: NetAddress, work: Duration, now: MonotonicTime) {
            self.address = address
            self.work = work
            meter = LoadMeter(now: now, waited: 0)
        }

        /// Answers the calls of the last 100 ms.
        func answer(_ channel: DrivenChannel, _ change: (String) -> String = { $0 }) throws {
            let transport = try channel.last(to: address)
            let requests = transport.requests()
            let busy = work * requests.count
            let pause = Duration.milliseconds(100) - min(busy, .milliseconds(100))
            waited += UInt64(pause / .nanoseconds(1))
            for _ in requests { meter.ended(.success) }
            _ = meter.measure(now: channel.now, waited: waited, loops: 1, utilization: nil)
            var block = ByteBuffer()
            meter.line?.append(to: &block, limitBytes: 511)
            let info = change(String(decoding: block.copyBytes(), as: UTF8.self))
            for (number, request) in requests.enumerated() {
                transport.reply(to: request.id, info: number == 0 ? info : "")
            }
            calls += requests.count
        }
    }

    /// How many of 1000 calls two servers of different speed get, once their weights count.
    func shares(
        _ policy: BalancingPolicy, _ change: (String) -> String = { $0 }
    ) throws -> (fast: Int, slow: Int) {
        let both = [Self.fast, Self.slow].map { RPCEndpoint([$0]) }
        let channel = try DrivenChannel(random: SplitMix(seed: 7), to: .fixed(both)) {
            $0.balancing.policy = policy
            $0.balancing.weights.blackoutPeriod = .seconds(1)
        }
        channel.start()
        for address in [Self.fast, Self.slow] { try channel.last(to: address).connect() }
        let servers = [
            Server(Self.fast, work: .milliseconds(2), now: channel.now),
            Server(Self.slow, work: .milliseconds(8), now: channel.now),
        ]
        var before = [0, 0]
        for round in 0..<150 {
            if round == 50 { before = servers.map(\.calls) }
            for _ in 0..<10 { channel.start() }
            channel.tick(after: .milliseconds(100))
            for server in servers { try server.answer(channel, change) }
        }
        return (servers[0].calls - before[0], servers[1].calls - before[1])
    }

    @Test("Calls are spread in proportion to what the servers can take")
    func proportion() throws {
        let (fast, slow) = try shares(.weightedRoundRobin)
        #expect(fast + slow == 1000 && (780...820).contains(fast), "\(fast), \(slow)")
    }

    @Test("With another policy reports have no effect")
    func otherPolicy() throws {
        let (fast, slow) = try shares(.roundRobin)
        #expect(fast == slow)
    }

    @Test(
        "Reports that make no sense are ignored",
        arguments: [
            "", "1", "0 0 0", "0 100 0", "1 0 0", "nan 1 1", "-1 1 1", "1e9 1 1", "1 1 1 1",
            "99999999999 1 1", "1 %00 1",
        ])
    func garbage(_ value: String) throws {
        let (fast, slow) = try shares(.weightedRoundRobin) { _ in "rkm1\nload=\(value)\n" }
        #expect(abs(fast - slow) <= 2, "\(fast), \(slow)")
    }

    @Test("A late reply of a server that has left the list is nobody's report")
    func gone() throws {
        let both = [Self.fast, Self.slow].map { RPCEndpoint([$0]) }
        let channel = try DrivenChannel(to: .fixed(both)) {
            $0.balancing.policy = .weightedRoundRobin
        }
        let calls = (0..<2).map { _ in channel.start() }
        for address in [Self.fast, Self.slow] { try channel.last(to: address).connect() }
        let more = (0..<2).map { _ in channel.start() }
        channel.core.replace([RPCEndpoint([Self.slow])])
        for address in [Self.fast, Self.slow] {
            for request in try channel.last(to: address).requests() {
                try channel.last(to: address).reply(
                    to: request.id, info: "rkm1\nload=1%201%200\n")
            }
        }
        #expect((calls + more).allSatisfy { $0.ends == [.response([])] })
    }
}
