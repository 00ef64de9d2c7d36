import RocketBalancing
import RocketSystem
import Testing

@Suite("Lists of endpoints")
struct UpdateTests {
    @Test("Endpoints that stay keep index and state, in any order")
    func stay() {
        var balancer = Balancer.make(.p2cPeakEWMA, count: 3)
        balancer.call(1, milliseconds: 70, now: .seconds(1))
        balancer.began(1)
        balancer.update(endpoints(1..<4).reversed())
        #expect(balancer.index(of: "10.0.0.1:1") == 1)
        #expect(balancer.latency(at: 1, now: .seconds(1)) == .milliseconds(70))
        #expect(balancer.callsInFlight(at: 1) == 1)
        #expect(balancer.index(of: "10.0.0.0:1") == nil)
        #expect(balancer.indices == [3, 2, 1] || balancer.indices == [0, 2, 1])
    }

    @Test("The index of an endpoint that is gone is free when its calls have ended")
    func gone() {
        var balancer = Balancer.make(.roundRobin, count: 2)
        balancer.began(0)
        balancer.update(endpoints(1..<3))
        #expect(balancer.endpoint(at: 0)?.identity == "10.0.0.0:1")
        #expect(balancer.indices == [1, 2])
        #expect(balancer.shares(of: 10)[0] == 0)
        balancer.ended(0, began: .seconds(1), outcome: .failure, now: .seconds(2))
        #expect(balancer.endpoint(at: 0) == nil)
        balancer.update(endpoints(1..<4))
        #expect(balancer.indices == [1, 2, 0])
    }

    @Test("One that returns before its calls have ended has its state")
    func returns() {
        var balancer = Balancer.make(.p2cPeakEWMA, count: 2)
        balancer.began(0)
        balancer.update(endpoints(1..<2))
        balancer.update(endpoints(0..<2))
        #expect(balancer.index(of: "10.0.0.0:1") == 0)
        #expect(balancer.callsInFlight(at: 0) == 1)
    }

    @Test("Of equal identities the first counts; an empty list leaves nothing to pick")
    func duplicates() {
        var balancer = Balancer.make(.roundRobin, count: 0)
        balancer.update(endpoints(0..<2) + endpoints(0..<3))
        #expect(balancer.statistics.listed == 3)
        balancer.update([])
        #expect(balancer.statistics.listed == 0)
        #expect(balancer.pick(now: .seconds(1)) == nil)
    }

    @Test("Indices stay small while lists and calls come and go at random", arguments: [1, 2, 3])
    func random(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var balancer = Balancer.make(.p2cPeakEWMA, count: 5)
        var inFlight: [Int] = []
        for step in 1...3_000 {
            let now = MonotonicTime.milliseconds(step * 10)
            if step % 10 == 0 {
                balancer.update(endpoints(0..<30).filter { _ in random.chance(0.3) })
            }
            if let index = balancer.pick(now: now) {
                #expect(balancer.indices.contains(index))
                balancer.began(index)
                inFlight.append(index)
            }
            if inFlight.count > 10 {
                let index = inFlight.remove(at: Int.random(in: 0..<10, using: &random))
                let outcome: CallOutcome = random.chance(0.3) ? .failure : .success
                balancer.ended(index, began: now, outcome: outcome, now: now)
            }
        }
        #expect((0..<50).reduce(0) { $0 + balancer.callsInFlight(at: $1) } == inFlight.count)
        #expect(balancer.indices.allSatisfy { $0 < 45 })
    }

    @Test("Weights out of range and indices of nobody do no harm")
    func bad() {
        var balancer = Balancer.make(.p2cPeakEWMA, count: 0)
        balancer.update([
            BalancedEndpoint("a", weight: .nan), BalancedEndpoint("b", weight: -1),
            BalancedEndpoint("c", weight: .infinity),
        ])
        for policy in BalancingPolicy.allCases {
            balancer.configuration.policy = policy
            #expect(balancer.pick(now: .seconds(1)) != nil)
        }
        balancer.began(99)
        balancer.began(-1)
        balancer.ended(99, began: .seconds(1), outcome: .success, now: .seconds(1))
        balancer.ended(0, began: .seconds(1), outcome: .success, now: .seconds(1))
        balancer.setUsable(false, at: 99)
        balancer.report(LoadReport(utilization: 1, callsPerSecond: 1), at: 99, now: .seconds(1))
        #expect(balancer.endpoint(at: 99) == nil)
    }
}
