import RocketBalancing
import RocketSystem

/// A queue model of one client and its servers: calls arrive at random (Poisson), each server works
/// on one call at a time, in the order of arrival. The clock is the simulation's.
struct ClientSimulation {
    struct Server {
        /// Mean of the exponentially distributed service times.
        var meanService = Duration.milliseconds(10)
        /// The chance that a call fails, without waiting and within `failureTime`.
        var failureChance = 0.0
        var failureTime = Duration.milliseconds(1)
    }

    struct Call {
        var arrived: UInt64
        var sent: UInt64 = 0
        var server = 0
        var attempts = 0
        var tried = TriedEndpoints()
    }

    struct Result {
        /// Sorted, in milliseconds, of calls that succeeded after the warm-up.
        var latencies: [Double] = []
        /// Attempts per server after the warm-up.
        var shares: [Int] = []
        var calls = 0
        var attempts = 0
        var failed = 0

        func quantile(_ share: Double) -> Double {
            latencies.isEmpty ? 0 : latencies[Int(Double(latencies.count - 1) * share)]
        }

        func share(of server: Int) -> Double {
            Double(shares[server]) / Double(max(1, shares.reduce(0, +)))
        }
    }

    var servers: [Server]
    var configuration = BalancingConfiguration()
    /// Calls per second of all servers together.
    var rate = 500.0
    var duration = Duration.seconds(20)
    /// What ends before this time does not count.
    var warmUp = Duration.seconds(5)
    /// Calls that fail are sent again at once, at most so often, within the budget.
    var maxAttempts = 1
    var budget = RetryBudget()

    private enum Event {
        case arrival
        case done(Call, Bool)
    }

    func run(seed: UInt64) -> Result {
        var random = SeededRandom(seed: seed)
        var balancer = Balancer(configuration, using: &random)
        balancer.update(servers.indices.map { BalancedEndpoint("server\($0)") })
        var budget = budget
        var freeAt = [UInt64](repeating: 0, count: servers.count)
        var events = EventQueue<Event>()
        var result = Result()
        result.shares = Array(repeating: 0, count: servers.count)
        let end = UInt64(duration.wholeNanoseconds)
        let warm = UInt64(warmUp.wholeNanoseconds)

        func send(_ call: Call, _ time: UInt64) {
            let now = MonotonicTime(nanoseconds: time)
            guard
                let index = balancer.pick(now: now, excluding: call.tried)
                    ?? balancer.pick(now: now)
            else { return }
            balancer.began(index)
            var call = call
            call.sent = time
            call.server = index
            call.attempts += 1
            call.tried.insert(index)
            result.attempts += 1
            if time >= warm { result.shares[index] += 1 }
            let server = servers[index]
            if server.failureChance > 0, random.chance(server.failureChance) {
                let failed = time + UInt64(server.failureTime.wholeNanoseconds)
                events.add(.done(call, false), at: failed)
                return
            }
            let mean = Double(server.meanService.wholeNanoseconds)
            freeAt[index] = max(freeAt[index], time) + random.exponential(mean: mean)
            events.add(.done(call, true), at: freeAt[index])
        }

        events.add(.arrival, at: 1)
        while let (time, event) = events.next() {
            let now = MonotonicTime(nanoseconds: time)
            switch event {
            case .arrival:
                if time >= end { continue }
                result.calls += 1
                budget.began(now: now)
                send(Call(arrived: time), time)
                events.add(.arrival, at: time + random.exponential(mean: 1e9 / rate))
            case .done(let call, let succeeded):
                balancer.ended(
                    call.server, began: MonotonicTime(nanoseconds: call.sent),
                    outcome: succeeded ? .success : .failure, now: now)
                if succeeded {
                    if call.arrived >= warm {
                        result.latencies.append(Double(time - call.arrived) / 1e6)
                    }
                } else if call.attempts < maxAttempts, budget.withdraw(now: now) {
                    send(call, time)
                } else {
                    result.failed += 1
                }
            }
        }
        result.latencies.sort()
        return result
    }
}
