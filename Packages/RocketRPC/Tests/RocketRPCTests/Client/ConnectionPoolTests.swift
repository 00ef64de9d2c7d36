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
        for place in pool.indices {
            _ = pool.handle(.wanted, at: place, using: &random)
            _ = pool.handle(.connected, at: place, using: &random)
        }
        return pool
    }

    @Test mutating func aCallGoesWhereTheFewestAre() {
        var pool = ready(3, &random)
        #expect(pool.place() == 0)
        pool.began(at: 0)
        #expect(pool.place() == 1)
        pool.began(at: 1)
        pool.began(at: 2)
        pool.finished(at: 1)
        #expect(pool.place() == 1)
        #expect(pool.place(avoiding: 1) == 0)
    }

    @Test mutating func theAvoidedOneIsTakenWhereThereIsNoOther() {
        var pool = pool(2)
        #expect(pool.place(avoiding: 0) == nil)
        _ = pool.handle(.wanted, at: 0, using: &random)
        _ = pool.handle(.connected, at: 0, using: &random)
        #expect(pool.place(avoiding: 0) == 0)
    }

    @Test mutating func anotherOneIsOpenedOnlyWhenAllHaveCalls() {
        var pool = pool(3)
        #expect(pool.placeToConnect() == 0)
        _ = pool.handle(.wanted, at: 0, using: &random)
        #expect(pool.placeToConnect() == nil, "one at a time")
        _ = pool.handle(.connected, at: 0, using: &random)
        #expect(pool.placeToConnect() == nil, "the first has nothing to do")
        pool.began(at: 0)
        #expect(pool.placeToConnect() == 1)
        _ = pool.handle(.wanted, at: 1, using: &random)
        _ = pool.handle(.failed, at: 1, using: &random)
        #expect(pool.placeToConnect() == nil, "one rests")
        #expect(pool.state == .ready)
    }

    @Test mutating func theStateIsTheBestOfAll() {
        var pool = pool(2)
        #expect(pool.state == .idle)
        _ = pool.handle(.wanted, at: 0, using: &random)
        #expect(pool.state == .connecting)
        _ = pool.handle(.failed, at: 0, using: &random)
        #expect(pool.state == .transientFailure)
        _ = pool.handle(.wanted, at: 1, using: &random)
        #expect(pool.state == .connecting)
        _ = pool.handle(.connected, at: 1, using: &random)
        #expect(pool.state == .ready)
        _ = pool.handle(.close, at: 1, using: &random)
        #expect(pool.state == .transientFailure)
        _ = pool.handle(.close, at: 0, using: &random)
        #expect(pool.state == .closed)
    }

    @Test mutating func restsGrowUntilAConnectionHasWorked() {
        var pool = pool(1)
        func fail(_ random: inout SplitMix) -> Duration {
            _ = pool.handle(.wanted, at: 0, using: &random)
            let action = pool.handle(.failed, at: 0, using: &random)
            _ = pool.handle(.rested(wanted: false), at: 0, using: &random)
            guard case .rest(let duration) = action else { return .zero }
            return duration
        }
        let first = fail(&random)
        #expect(first >= .milliseconds(50) && first <= .milliseconds(100))
        let second = fail(&random)
        #expect(second >= .milliseconds(100) && second <= .milliseconds(200))
        for _ in 0..<10 { _ = fail(&random) }
        let late = fail(&random)
        #expect(late >= .milliseconds(500) && late <= .seconds(1))
        _ = pool.handle(.wanted, at: 0, using: &random)
        _ = pool.handle(.connected, at: 0, using: &random)
        _ = pool.handle(.ended(worked: true), at: 0, using: &random)
        let again = fail(&random)
        #expect(again <= .milliseconds(100))
    }
}
