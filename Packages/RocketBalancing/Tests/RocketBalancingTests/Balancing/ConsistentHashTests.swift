import RocketBalancing
import RocketSystem
import Testing

@Suite("Consistent hash with bounded load")
struct ConsistentHashTests {
    private let keys = (0..<5_000).map { StableHash.of("user\($0)") }

    /// The endpoint of each key, without load.
    private func homes(_ balancer: inout Balancer) -> [String?] {
        keys.map { key in
            balancer.pick(now: .seconds(1), key: key).flatMap {
                balancer.endpoint(at: $0)?.identity
            }
        }
    }

    @Test("The hash is the same everywhere")
    func hash() {
        #expect(StableHash.of("rocket") == StableHash.of("rocket"))
        #expect(StableHash.of("") == 17_665_956_581_633_026_203)
        #expect(StableHash.of(1, 2) != StableHash.of(2, 1))
    }

    @Test("Keys keep their endpoints when another one comes or goes")
    func churn() {
        var balancer = Balancer.make(.consistentHash, count: 20)
        let before = homes(&balancer)
        balancer.update(endpoints(0..<19))
        let fewer = homes(&balancer)
        for (old, new) in zip(before, fewer) where old != "10.0.0.19:1" { #expect(old == new) }
        balancer.update(endpoints(0..<21))
        let more = zip(before, homes(&balancer)).filter { $0 != $1 }
        #expect(more.allSatisfy { $1 == "10.0.0.20:1" })
        #expect((100...450).contains(more.count))
    }

    @Test("The order of the list does not count, nor who builds the ring")
    func order() {
        var one = Balancer.make(.consistentHash, count: 20)
        var other = Balancer.make(.consistentHash, count: 0)
        other.update(endpoints(0..<20).reversed())
        #expect(homes(&one) == homes(&other))
    }

    @Test("Keys are spread evenly")
    func spread() {
        var balancer = Balancer.make(.consistentHash, count: 20)
        let counts = Dictionary(grouping: homes(&balancer), by: \.self).mapValues(\.count)
        #expect(counts.count == 20)
        #expect(counts.values.allSatisfy { (125...400).contains($0) })
    }

    @Test("An endpoint that can't be used loses only its own keys, to many others")
    func unusable() {
        var balancer = Balancer.make(.consistentHash, count: 20)
        let before = homes(&balancer)
        balancer.setUsable(false, at: 3)
        let moved = zip(before, homes(&balancer)).filter { $0 != $1 }
        #expect(moved.allSatisfy { $0.0 == "10.0.0.3:1" })
        #expect(Set(moved.map(\.1)).count > 8)
    }

    @Test("No endpoint has more than its share of calls in flight, even for one key")
    func bounded() {
        var balancer = Balancer.make(.consistentHash, count: 10)
        for count in 1...400 {
            guard let index = balancer.pick(now: .seconds(1), key: 42) else {
                Issue.record("no endpoint")
                return
            }
            balancer.began(index)
            let most = (1.25 * Double(count) / 10).rounded(.up)
            #expect(Double(balancer.callsInFlight(at: index)) <= most)
        }
        let loads = (0..<10).map { balancer.callsInFlight(at: $0) }
        #expect(loads.allSatisfy { $0 <= 50 })
    }

    @Test("Without a key, calls are spread")
    func noKey() {
        var balancer = Balancer.make(.consistentHash, count: 5)
        let picked = Set((0..<100).compactMap { _ in balancer.pick(now: .seconds(1)) })
        #expect(picked.count == 5)
    }
}
