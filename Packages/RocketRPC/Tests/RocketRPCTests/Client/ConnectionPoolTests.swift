import RocketBaseTestKit
import RocketTCP
import Testing

@testable import RocketRPC

@Suite struct ConnectionPoolTests {
    var random = SplitMix(seed: 7)

    func pool(_ size: Int) -> ConnectionPool {
        ConnectionPool(size: size, backOff: BackOff(first: .milliseconds(100), most: .seconds(1)))
    }

    func ready(_ size: Int, _ random: inout SplitMix) -> ConnectionPool {
        var pool = pool(size)
        for slot in pool.indices {
            _ = pool.handle(.wanted, in: slot, using: &random)
            _ = pool.handle(.connected, in: slot, using: &random)
        }
        return pool
    }

    @Test("A call goes to the connection with the fewest calls")
    mutating func fewestCalls() {
        var pool = ready(3, &random)
        #expect(pool.slot() == 0)
        pool.callBegan(in: 0)
        #expect(pool.slot() == 1)
        pool.callBegan(in: 1)
        pool.callBegan(in: 2)
        pool.callEnded(in: 1)
        #expect(pool.slot() == 1)
        #expect(pool.slot(avoiding: 1) == 0)
    }

    @Test("The avoided connection is used when there is no other")
    mutating func avoided() {
        var pool = pool(2)
        #expect(pool.slot(avoiding: 0) == nil)
        _ = pool.handle(.wanted, in: 0, using: &random)
        _ = pool.handle(.connected, in: 0, using: &random)
        #expect(pool.slot(avoiding: 0) == 0)
    }

    @Test("Another connection is opened only when all have calls")
    mutating func opensAnother() {
        var pool = pool(3)
        #expect(pool.slotToConnect() == 0)
        _ = pool.handle(.wanted, in: 0, using: &random)
        #expect(pool.slotToConnect() == nil, "one at a time")
        _ = pool.handle(.connected, in: 0, using: &random)
        #expect(pool.slotToConnect() == nil, "the first has no calls")
        pool.callBegan(in: 0)
        #expect(pool.slotToConnect() == 1)
        _ = pool.handle(.wanted, in: 1, using: &random)
        _ = pool.handle(.failed, in: 1, using: &random)
        #expect(pool.slotToConnect() == nil, "one backs off")
        #expect(pool.state == .ready)
    }

    @Test("The state of a pool is the best of its slots")
    mutating func bestState() {
        var pool = pool(2)
        #expect(pool.state == .idle)
        _ = pool.handle(.wanted, in: 0, using: &random)
        #expect(pool.state == .connecting)
        _ = pool.handle(.failed, in: 0, using: &random)
        #expect(pool.state == .transientFailure)
        _ = pool.handle(.wanted, in: 1, using: &random)
        #expect(pool.state == .connecting)
        _ = pool.handle(.connected, in: 1, using: &random)
        #expect(pool.state == .ready)
        _ = pool.handle(.close, in: 1, using: &random)
        #expect(pool.state == .transientFailure)
        _ = pool.handle(.close, in: 0, using: &random)
        #expect(pool.state == .closed)
    }

    @Test("Back-offs grow until a connection has delivered a reply")
    mutating func backOffGrows() {
        var pool = pool(1)
        func fail(_ random: inout SplitMix) -> Duration {
            _ = pool.handle(.wanted, in: 0, using: &random)
            let action = pool.handle(.failed, in: 0, using: &random)
            _ = pool.handle(.backOffEnded(wanted: false), in: 0, using: &random)
            guard case .backOff(let duration) = action else { return .zero }
            return duration
        }
        let first = fail(&random)
        #expect(first >= .milliseconds(50) && first <= .milliseconds(100))
        let second = fail(&random)
        #expect(second >= .milliseconds(100) && second <= .milliseconds(200))
        for _ in 0..<10 { _ = fail(&random) }
        let late = fail(&random)
        #expect(late >= .milliseconds(500) && late <= .seconds(1))
        _ = pool.handle(.wanted, in: 0, using: &random)
        _ = pool.handle(.connected, in: 0, using: &random)
        _ = pool.handle(.ended(worked: true), in: 0, using: &random)
        let again = fail(&random)
        #expect(again <= .milliseconds(100))
    }
}
