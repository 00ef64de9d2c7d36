import RocketSystem
import Testing

@testable import RocketHTTP2

@Suite struct TokenBucketTests {
    private func at(_ milliseconds: UInt64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    /// What taking a token at each of these milliseconds returns.
    private func take(_ bucket: inout TokenBucket, _ times: [UInt64]) -> [Bool] {
        times.map { bucket.take(now: at($0)) }
    }

    @Test("A burst, then one for each part of a second; parts of a token are not lost")
    func rate() {
        var bucket = TokenBucket(HTTP2Rate(burst: 2, perSecond: 10), now: at(0))
        let taken = take(&bucket, [0, 0, 0, 99, 100, 150, 200, 1_000, 1_000, 1_000])
        #expect(
            taken == [true, true, false, false, true, false, true, true, true, false])
    }

    @Test("Tokens that are given back are no more than the burst")
    func give() {
        var bucket = TokenBucket(HTTP2Rate(burst: 2, perSecond: 0), now: at(0))
        _ = take(&bucket, [0])
        bucket.give(100)
        #expect(bucket.tokens == 2)
        #expect(take(&bucket, [0, 0, 1_000_000_000]) == [true, true, false])
    }

    @Test("A clock that stands still, goes back or jumps by years does no harm")
    func clock() {
        var bucket = TokenBucket(HTTP2Rate(burst: 1, perSecond: .max), now: at(1_000))
        #expect(take(&bucket, [1_000, 1_000, 0]) == [true, false, false])
        let late = [MonotonicTime.distantFuture, .distantFuture].map { bucket.take(now: $0) }
        #expect(late == [true, false])
    }
}
