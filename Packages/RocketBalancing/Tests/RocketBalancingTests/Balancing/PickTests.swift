import RocketBalancing
import RocketSystem
import Testing

@Suite("Picks")
struct PickTests {
    @Test("Policies have the words of a configuration")
    func words() {
        #expect(
            BalancingPolicy.allCases.map(\.rawValue) == [
                "pick_first", "round_robin", "p2c", "least_in_flight", "weighted",
                "consistent_hash",
            ])
        #expect(BalancingPolicy(rawValue: "p2c") == .p2cPeakEWMA)
        #expect(BalancingPolicy(rawValue: "P2C") == nil)
    }

    @Test("No endpoint, no pick", arguments: BalancingPolicy.allCases)
    func none(policy: BalancingPolicy) {
        var balancer = Balancer.make(policy, count: 0)
        #expect(balancer.pick(now: .seconds(1)) == nil)
        #expect(balancer.statistics.failedPicks == 1)
    }

    @Test("A single endpoint is picked, unless it was tried", arguments: BalancingPolicy.allCases)
    func single(policy: BalancingPolicy) {
        var balancer = Balancer.make(policy, count: 1)
        #expect(balancer.pick(now: .seconds(1)) == 0)
        var tried = TriedEndpoints()
        tried.insert(0)
        #expect(balancer.pick(now: .seconds(1), excluding: tried) == nil)
    }

    @Test("Endpoints that can't be used are not picked", arguments: BalancingPolicy.allCases)
    func unusable(policy: BalancingPolicy) {
        var balancer = Balancer.make(policy, count: 5)
        for index in [0, 2, 4] { balancer.setUsable(false, at: index) }
        var shares = balancer.shares(of: 200)
        #expect(shares[0] == 0 && shares[2] == 0 && shares[4] == 0)
        for index in [1, 3] { balancer.setUsable(false, at: index) }
        #expect(balancer.pick(now: .seconds(1)) == nil)
        balancer.setUsable(true, at: 4)
        shares = balancer.shares(of: 10)
        #expect(shares[4] == 10)
    }

    @Test("Retries go elsewhere", arguments: BalancingPolicy.allCases)
    func excluding(policy: BalancingPolicy) {
        var balancer = Balancer.make(policy, count: 4)
        var tried = TriedEndpoints()
        var seen: Set<Int> = []
        for _ in 0..<4 {
            let index = balancer.pick(now: .seconds(1), key: 7, excluding: tried)
            #expect(index.map { seen.insert($0).inserted } == true)
            if let index { tried.insert(index) }
        }
        #expect(balancer.pick(now: .seconds(1), key: 7, excluding: tried) == nil)
        #expect(tried.contains(0) && tried.contains(3) && !tried.contains(4))
        tried.insert(9)
        #expect(!tried.contains(seen.first ?? 0) || seen.filter(tried.contains).count == 3)
    }

    @Test("Tried endpoints are passed over evenly, also among many")
    func excludingEvenly() {
        var balancer = Balancer.make(.p2cPeakEWMA, count: 10)
        var tried = TriedEndpoints()
        for index in [1, 2, 3, 4] { tried.insert(index) }
        let shares = balancer.shares(of: 6_000, excluding: tried)
        #expect(shares[1...4].allSatisfy { $0 == 0 })
        #expect(shares.reduce(0, +) == 6_000)
    }

    @Test("Pick first stays with the first, round robin goes round")
    func orders() {
        var first = Balancer.make(.pickFirst, count: 3)
        #expect(first.shares(of: 10) == [10, 0, 0])
        first.setUsable(false, at: 0)
        #expect(first.shares(of: 10) == [0, 10, 0])
        var round = Balancer.make(.roundRobin, count: 3)
        let picks = (0..<7).compactMap { _ in round.pick(now: .seconds(1)) }
        #expect(picks.count == 7)
        #expect(zip(picks, picks.dropFirst()).allSatisfy { ($0 + 1) % 3 == $1 })
        round.setUsable(false, at: 1)
        #expect(round.shares(of: 10)[1] == 0)
    }

    @Test("The first calls of many channels do not meet at one endpoint")
    func firstTurns() {
        var shares = [0, 0, 0, 0]
        for seed: UInt64 in 0..<400 {
            var generator = SeededRandom(seed: seed)
            var configuration = BalancingConfiguration()
            configuration.policy = .roundRobin
            var balancer = Balancer(configuration, using: &generator)
            balancer.update((0..<4).map { BalancedEndpoint("\($0)") })
            if let index = balancer.pick(now: .seconds(1)) { shares[index] += 1 }
        }
        #expect(shares.allSatisfy { (60...140).contains($0) })
    }

    @Test("p2c picks every pair equally often, and the better one of it")
    func pairs() {
        var balancer = Balancer.make(.p2cPeakEWMA, count: 4)
        for index in 0..<4 {
            balancer.call(index, milliseconds: 10 * (index + 1), now: .seconds(1))
        }
        let shares = balancer.shares(of: 6_000)
        #expect(shares[3] == 0)
        for (share, expected) in zip(shares, [3_000, 2_000, 1_000]) {
            #expect(abs(share - expected) < 150)
        }
    }

    @Test("Least in flight goes by the calls in flight per weight")
    func leastInFlight() {
        var balancer = Balancer.make(.leastInFlight, count: 2)
        for _ in 0..<3 { balancer.began(0) }
        #expect(balancer.pick(now: .seconds(1)) == 1)
        balancer.update([
            BalancedEndpoint("10.0.0.0:1", weight: 10), BalancedEndpoint("10.0.0.1:1"),
        ])
        #expect(balancer.pick(now: .seconds(1)) == 0)
        #expect(balancer.callsInFlight(at: 0) == 3)
    }

    @Test("A refusal or a failure that is fast makes an endpoint no more attractive")
    func fastFailure() {
        for outcome in [CallOutcome.failure, .refused] {
            var balancer = Balancer.make(.p2cPeakEWMA, count: 2) { $0.outliers = nil }
            for number in 0..<200 {
                balancer.call(0, milliseconds: 20, now: .milliseconds(1_000 + number))
                balancer.call(1, milliseconds: 1, outcome, now: .milliseconds(1_000 + number))
            }
            #expect(balancer.shares(of: 100, now: .milliseconds(1_300)) == [100, 0])
        }
    }

    @Test("A call that was cancelled late counts as slow, one that was cancelled early not at all")
    func cancelled() {
        var balancer = Balancer.make(.p2cPeakEWMA, count: 2)
        for index in 0..<2 { balancer.call(index, now: .seconds(1)) }
        balancer.call(0, milliseconds: 1, .ignored, now: .seconds(1))
        #expect(balancer.latency(at: 0, now: .seconds(1)) == .milliseconds(10))
        balancer.call(1, milliseconds: 50, .ignored, now: .seconds(1))
        #expect(balancer.latency(at: 1, now: .seconds(1)) == .milliseconds(50))
    }

    @Test("A policy can be changed while calls run")
    func policyChange() {
        var balancer = Balancer.make(.p2cPeakEWMA, count: 3)
        balancer.began(0)
        for policy in BalancingPolicy.allCases {
            balancer.configuration.policy = policy
            #expect(balancer.pick(now: .seconds(1)) != nil)
        }
        #expect(balancer.callsInFlight(at: 0) == 1)
    }
}
