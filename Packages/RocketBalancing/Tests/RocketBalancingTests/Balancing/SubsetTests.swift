import RocketBalancing
import RocketSystem
import Testing

@Suite("Subsets and zones")
struct SubsetTests {
    private func chosen(_ client: Int, of list: [BalancedEndpoint]) -> Set<String> {
        let subset = Subset(client: StableHash.of("client\(client)"))
        return Set(subset.indices(of: list).map { list[$0].identity })
    }

    @Test("A short list is used whole, of a long one 20")
    func size() {
        #expect(chosen(1, of: endpoints(0..<20)).count == 20)
        #expect(chosen(1, of: endpoints(0..<21)).count == 20)
        let list = endpoints(0..<300)
        let indices = Subset(client: 1).indices(of: list)
        #expect(indices.count == 20 && indices == indices.sorted())
        #expect(Subset(client: 1, size: 0).indices(of: list).count == 1)
    }

    @Test("A client changes at most one endpoint when one comes or goes")
    func churn() {
        let list = endpoints(0..<100)
        for client in 0..<50 {
            let before = chosen(client, of: list)
            for gone in [0, 37, 99] {
                var shorter = list
                let removed = shorter.remove(at: gone).identity
                let after = chosen(client, of: shorter)
                #expect(
                    before.subtracting(after)
                        == (before.contains(removed) ? [removed] : []))
            }
            let after = chosen(client, of: endpoints(0..<101))
            #expect(before.subtracting(after).count <= 1)
        }
    }

    @Test("The order of the list does not count")
    func order() {
        let list = endpoints(0..<100)
        #expect(chosen(3, of: list) == chosen(3, of: list.reversed()))
    }

    @Test("1,000 clients use 100 endpoints evenly")
    func even() {
        var counts: [String: Int] = [:]
        let list = endpoints(0..<100)
        for client in 0..<1_000 {
            for identity in chosen(client, of: list) { counts[identity, default: 0] += 1 }
        }
        #expect(counts.count == 100)
        #expect(counts.values.allSatisfy { (140...260).contains($0) })
    }

    @Test("A balancer uses its subset")
    func balancer() {
        var balancer = Balancer.make(.p2cPeakEWMA, count: 0) { $0.subset = Subset(client: 5) }
        balancer.update(endpoints(0..<100))
        #expect(balancer.statistics.listed == 20)
    }

    @Test("Calls stay in the zone in proportion to its share of living endpoints")
    func zones() {
        let preference = ZonePreference(zone: "a")
        #expect(preference.nearShare(near: 4, all: 12, zones: 3) == 1)
        #expect(preference.nearShare(near: 6, all: 12, zones: 3) == 1)
        #expect(preference.nearShare(near: 2, all: 10, zones: 3) == 0.6)
        #expect(preference.nearShare(near: 0, all: 8, zones: 3) == 0)
        #expect(preference.nearShare(near: 4, all: 4, zones: 1) == nil)
        #expect(preference.nearShare(near: 1, all: 5, zones: 3) == nil)
        #expect(ZonePreference().nearShare(near: 4, all: 12, zones: 3) == nil)
    }

    @Test(
        "A balancer prefers its zone, spills over, and does without it",
        arguments: [BalancingPolicy.p2cPeakEWMA, .roundRobin, .weightedRoundRobin])
    func zoneLost(policy: BalancingPolicy) {
        var balancer = Balancer.make(policy, count: 0) {
            $0.zonePreference = ZonePreference(zone: "z0")
        }
        balancer.update(endpoints(0..<12) { "z\($0 % 3)" })
        let near = { (shares: [Int]) in shares.enumerated().filter { $0.offset % 3 == 0 } }
        #expect(near(balancer.shares(of: 1_000)).reduce(0) { $0 + $1.element } == 1_000)
        #expect(balancer.statistics.picksOutsideZone == 0)
        // Two of four are left, of ten: 60 % stay.
        balancer.setUsable(false, at: 0)
        balancer.setUsable(false, at: 3)
        let shares = balancer.shares(of: 10_000)
        #expect(abs(near(shares).reduce(0) { $0 + $1.element } - 6_000) < 200)
        #expect(shares[1] > 300 && shares[11] > 300)
        for index in [6, 9] { balancer.setUsable(false, at: index) }
        #expect(near(balancer.shares(of: 1_000)).allSatisfy { $0.element == 0 })
    }

    @Test("A retry leaves the zone when all of it was tried")
    func retry() {
        var balancer = Balancer.make(.p2cPeakEWMA, count: 0) {
            $0.zonePreference = ZonePreference(zone: "z0")
        }
        balancer.update(endpoints(0..<6) { "z\($0 % 3)" })
        var tried = TriedEndpoints()
        tried.insert(0)
        #expect(balancer.pick(now: .seconds(1), excluding: tried) == 3)
        tried.insert(3)
        #expect(balancer.pick(now: .seconds(1), excluding: tried).map { $0 % 3 != 0 } == true)
    }
}
