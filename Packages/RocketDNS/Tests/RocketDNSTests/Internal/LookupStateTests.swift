import RocketSystem
import Testing

@testable import RocketDNS

@Suite struct LookupStateTests {
    private typealias Record = QueryOutcome.Record
    private let v4 = Record(data: .ipv4(1), ttl: 60)
    private let v6 = Record(data: .ipv6(high: 1, low: 2), ttl: 30)

    private func state(_ candidates: [String] = ["a"]) -> LookupState {
        LookupState(
            name: "a", candidates: candidates, types: [.aaaa, .a], negativeTTL: .seconds(30))
    }

    @Test("Asks for both families of each name, in their order")
    func order() {
        var state = state(["a.x", "a"])
        #expect(state.handle(.start) == [.query(name: "a.x", .aaaa), .query(name: "a.x", .a)])
        #expect(state.handle(.ended(.a, .negative(.noRecords, ttl: 9))) == [])
        #expect(
            state.handle(.ended(.aaaa, .negative(.unknownName, ttl: nil)))
                == [.query(name: "a", .aaaa), .query(name: "a", .a)])
        #expect(state.handle(.ended(.srv, .failed(.refused))) == [])
        #expect(state.handle(.ended(.a, .negative(.unknownName, ttl: 40))) == [])
        #expect(
            state.handle(.ended(.aaaa, .negative(.unknownName, ttl: 50)))
                == [.fail(DNSError(.noRecords, name: "a", negativeTTL: .seconds(9)))])
        #expect(state.handle(.timedOut) == [])
    }

    @Test("Records of one family suffice; the failure of the other is part of the answer")
    func oneFamily() {
        var state = state()
        _ = state.handle(.start)
        #expect(state.handle(.ended(.aaaa, .failed(.serverFailed))) == [])
        let missing = DNSError(.serverFailed, name: "a")
        #expect(
            state.handle(.ended(.a, .records([v4], minimumTTL: 5)))
                == [.succeed(LookupState.Answer(records: [v4], minimumTTL: 5, missing: missing))])
    }

    @Test("Waits for the other family once")
    func delay() {
        var state = state()
        _ = state.handle(.start)
        #expect(state.handle(.familyDelayEnded) == [])
        #expect(
            state.handle(.ended(.a, .records([v4], minimumTTL: 60))) == [.waitForOtherFamily])
        #expect(
            state.handle(.ended(.aaaa, .records([v6], minimumTTL: 30)))
                == [.succeed(LookupState.Answer(records: [v6, v4], minimumTTL: 30))])
        #expect(state.handle(.familyDelayEnded) == [])
    }

    @Test("The time limit ends it, with the records that it has")
    func timeout() {
        var empty = state()
        _ = empty.handle(.start)
        #expect(empty.handle(.timedOut) == [.fail(DNSError(.timedOut, name: "a"))])
        var half = state()
        _ = half.handle(.start)
        _ = half.handle(.ended(.a, .records([v4], minimumTTL: 60)))
        let missing = DNSError(.timedOut, name: "a")
        #expect(
            half.handle(.timedOut)
                == [.succeed(LookupState.Answer(records: [v4], minimumTTL: 60, missing: missing))])
    }

    @Test("A failure ends the search")
    func failure() {
        var state = state(["a.x", "a"])
        _ = state.handle(.start)
        _ = state.handle(.ended(.a, .negative(.unknownName, ttl: nil)))
        #expect(
            state.handle(.ended(.aaaa, .failed(.refused))) == [.fail(DNSError(.refused, name: "a"))]
        )
    }
}
