import RocketBalancing
import RocketSystem
import Testing

@Suite("Weighted round robin, gRFC A58")
struct WeightedTests {
    private func report(_ utilization: Double, calls: Double = 100, errors: Double = 0)
        -> LoadReport
    {
        LoadReport(utilization: utilization, callsPerSecond: calls, errorsPerSecond: errors)
    }

    /// Three endpoints that have reported utilizations from second 1 to 12.
    private func reported(_ utilizations: [Double?]) -> Balancer {
        var balancer = Balancer.make(.weightedRoundRobin, count: utilizations.count)
        for second in 1...12 {
            for (index, utilization) in utilizations.enumerated() {
                guard let utilization else { continue }
                balancer.report(report(utilization), at: index, now: .seconds(second))
            }
        }
        return balancer
    }

    @Test("Picks are in proportion to the weights")
    func proportion() {
        var balancer = reported([0.25, 0.5, 1])
        let shares = balancer.shares(of: 7_000, now: .seconds(12))
        for (share, expected) in zip(shares, [4_000, 2_000, 1_000]) {
            #expect(abs(share - expected) <= 2)
        }
    }

    @Test("An endpoint without a weight gets the mean; fewer than two weights count as none")
    func missing() {
        var one = reported([0.25, nil, nil])
        #expect(one.shares(of: 300, now: .seconds(12)).allSatisfy { abs($0 - 100) <= 1 })
        var two = reported([0.25, 0.5, nil])
        let shares = two.shares(of: 900, now: .seconds(12))
        for (share, expected) in zip(shares, [400, 200, 300]) {
            #expect(abs(share - expected) <= 2)
        }
    }

    @Test("A weight counts after the blackout period, until it expires")
    func periods() {
        var balancer = Balancer.make(.weightedRoundRobin, count: 2)
        for (index, utilization) in [0.25, 1].enumerated() {
            balancer.report(report(utilization), at: index, now: .seconds(1))
        }
        #expect(balancer.shares(of: 100, now: .seconds(10)) == [50, 50])
        let weighted = balancer.shares(of: 100, now: .seconds(12))
        #expect(abs(weighted[0] - 80) <= 1)
        #expect(balancer.shares(of: 100, now: .seconds(182)).allSatisfy { abs($0 - 50) <= 1 })
    }

    @Test("After a new connection the blackout begins again")
    func reconnected() {
        var balancer = reported([0.25, 1])
        balancer.setUsable(false, at: 0)
        balancer.setUsable(true, at: 0)
        balancer.report(report(0.25), at: 0, now: .seconds(13))
        #expect(balancer.shares(of: 100, now: .seconds(14)).allSatisfy { abs($0 - 50) <= 1 })
    }

    @Test("Errors lower the weight")
    func errors() {
        var balancer = Balancer.make(.weightedRoundRobin, count: 2)
        for second in 1...12 {
            balancer.report(report(0.5, errors: 50), at: 0, now: .seconds(second))
            balancer.report(report(0.5), at: 1, now: .seconds(second))
        }
        let shares = balancer.shares(of: 300, now: .seconds(12))
        #expect(abs(shares[0] - 100) <= 1)
    }

    @Test("Reports that mean nothing count as none")
    func useless() {
        var balancer = Balancer.make(.weightedRoundRobin, count: 2)
        for (utilization, calls, errors) in [
            (0.0, 1.0, 0.0), (-1, 1, 0), (.nan, 1, 0), (1, 0, 0), (1, .infinity, 0), (1, 1, -1),
            (1e-300, 1e300, 0),
        ] {
            for second in 1...12 {
                balancer.report(
                    report(utilization, calls: calls, errors: errors), at: 0,
                    now: .seconds(second))
            }
        }
        #expect(balancer.shares(of: 100, now: .seconds(13)) == [50, 50])
    }

    @Test("The weights of a list count as factors")
    func listed() {
        var balancer = Balancer.make(.weightedRoundRobin, count: 0)
        balancer.update([BalancedEndpoint("a", weight: 3), BalancedEndpoint("b")])
        let shares = balancer.shares(of: 400)
        #expect(abs(shares[0] - 300) <= 1)
    }
}
