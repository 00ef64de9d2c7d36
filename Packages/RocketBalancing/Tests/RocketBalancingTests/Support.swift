import RocketBalancing
import RocketSystem

extension MonotonicTime {
    static func milliseconds(_ value: Int) -> Self {
        MonotonicTime(nanoseconds: UInt64(value) * 1_000_000)
    }
    static func seconds(_ value: Int) -> Self { milliseconds(value * 1_000) }
}

func endpoints(_ range: Range<Int>, zone: (Int) -> String = { _ in "" }) -> [BalancedEndpoint] {
    range.map { BalancedEndpoint("10.0.0.\($0):1", zone: zone($0)) }
}

extension Balancer {
    /// A balancer of endpoints 0..<count, seeded with 1.
    static func make(
        _ policy: BalancingPolicy, count: Int,
        configure: (inout BalancingConfiguration) -> Void = { _ in }
    ) -> Balancer {
        var random = SeededRandom(seed: 1)
        var configuration = BalancingConfiguration()
        configuration.policy = policy
        configure(&configuration)
        var balancer = Balancer(configuration, using: &random)
        balancer.update(endpoints(0..<count))
        return balancer
    }

    /// A call that takes some milliseconds and ends at `now`.
    mutating func call(
        _ index: Int, milliseconds: Int = 10, _ outcome: CallOutcome = .success,
        now: MonotonicTime
    ) {
        began(index)
        let start = MonotonicTime(
            nanoseconds: now.nanoseconds - UInt64(milliseconds) * 1_000_000)
        ended(index, began: start, outcome: outcome, now: now)
    }

    /// How often each endpoint is picked, without calls in flight.
    mutating func shares(
        of picks: Int, now: MonotonicTime = .seconds(1), excluding tried: TriedEndpoints = .init()
    ) -> [Int] {
        var shares = Array(repeating: 0, count: (indices.max() ?? -1) + 1)
        for number in 0..<picks {
            guard let index = pick(now: now, key: UInt64(number) << 40, excluding: tried) else {
                continue
            }
            shares[index] += 1
        }
        return shares
    }
}
