import RocketSystem
import Testing

@testable import RocketGRPC

@Suite("Pings")
struct PingTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    @Test("The third ping that comes too early is one too many")
    func strikes() {
        var policy = PingPolicy(minInterval: .seconds(300), permitsWithoutCalls: false)
        var results: [Bool] = []
        for second in 0..<4 {
            results.append(policy.received(at: start + .seconds(second), hasCalls: true))
        }
        #expect(results == [false, false, false, true])
    }

    @Test("Pings at the permitted interval, or after data was sent, are none too many")
    func permitted() {
        var policy = PingPolicy(minInterval: .seconds(300), permitsWithoutCalls: false)
        for index in 0..<10 {
            let isTooMany = policy.received(at: start + .seconds(300 * index), hasCalls: true)
            #expect(!isTooMany)
        }
        for index in 0..<10 {
            policy.sentData()
            let isTooMany = policy.received(at: start + .seconds(3000 + index), hasCalls: true)
            #expect(!isTooMany)
        }
    }

    @Test("Without calls a ping every two hours is permitted, unless the server permits more")
    func withoutCalls() {
        var policy = PingPolicy(minInterval: .seconds(300), permitsWithoutCalls: false)
        var tolerant = PingPolicy(minInterval: .seconds(300), permitsWithoutCalls: true)
        var last = false
        for index in 0..<4 {
            let now = start + .seconds(300 * index)
            last = policy.received(at: now, hasCalls: false)
            let isTooMany = tolerant.received(at: now, hasCalls: false)
            #expect(!isTooMany)
        }
        #expect(last)
    }

    @Test("A silent peer is pinged, and closed when it does not answer")
    func keepalive() {
        var keepalive = Keepalive(
            time: .seconds(10), timeout: .seconds(2), permitsWithoutCalls: false, now: start)
        func due(_ second: Int, hasCalls: Bool = true) -> (Keepalive.Action, Int?) {
            let (action, next) = keepalive.due(at: start + .seconds(second), hasCalls: hasCalls)
            return (action, next.map { Int(($0 - start).components.seconds) })
        }
        let steps = [
            due(0, hasCalls: false), due(0), due(9),
        ]
        #expect(steps.map(\.0) == [.nothing, .nothing, .nothing])
        #expect(steps.map(\.1) == [nil, 10, 10])
        keepalive.received(at: start + .seconds(5))
        let later = [due(10), due(15), due(16), due(17)]
        #expect(later.map(\.0) == [.nothing, .ping, .nothing, .close])
        #expect(later.map(\.1) == [15, 17, 17, nil])
        keepalive.received(at: start + .seconds(17))
        let answered = due(17)
        #expect(answered == (.nothing, 27))
    }

    @Test("Without calls a peer is asked only where that is permitted")
    func keepaliveWithoutCalls() {
        var keepalive = Keepalive(
            time: .seconds(10), timeout: .seconds(2), permitsWithoutCalls: true, now: start)
        let (action, next) = keepalive.due(at: start + .seconds(10), hasCalls: false)
        #expect(action == .ping && next == start + .seconds(12))
    }
}
