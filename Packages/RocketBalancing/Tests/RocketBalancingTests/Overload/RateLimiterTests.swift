import RocketBalancing
import RocketSystem
import Testing

@Suite("Rate limit and deadlines")
struct RateLimiterTests {
    @Test("Admits the burst at once, then the rate")
    func rate() {
        var limiter = RateLimiter(callsPerSecond: 100, burst: 10)
        #expect((0..<50).filter { _ in limiter.admits("a", now: .seconds(1)) }.count == 10)
        #expect(limiter.delay("a", now: .seconds(1)) == .milliseconds(10))
        #expect(limiter.admits("a", now: .milliseconds(1_009)) == false)
        #expect(limiter.admits("a", now: .milliseconds(1_010)) == true)
        #expect(limiter.delay("b", now: .seconds(1)) == .zero)
        let admitted = (0..<10_000).filter { limiter.admits("a", now: .milliseconds(2_000 + $0)) }
        #expect((1_000...1_010).contains(admitted.count))
        #expect(limiter.refusals > 8_000)
    }

    @Test("Keys don't disturb each other")
    func keys() {
        var limiter = RateLimiter(callsPerSecond: 1, burst: 1)
        #expect(limiter.admits("a", now: .seconds(1)) == true)
        #expect(limiter.admits("b", now: .seconds(1)) == true)
        #expect(limiter.admits("a", now: .seconds(1)) == false)
        #expect(limiter.keyCount == 2)
    }

    @Test("Remembers at most so many keys; those in use stay")
    func bounded() {
        var limiter = RateLimiter(callsPerSecond: 1, burst: 2, maxKeys: 100)
        for _ in 0..<2 { #expect(limiter.admits("busy", now: .seconds(1)) == true) }
        for number in 0..<1_000 {
            #expect(limiter.admits("busy", now: .seconds(1)) == false)
            #expect(limiter.admits("key\(number)", now: .seconds(1)) == true)
        }
        #expect(limiter.keyCount == 100)
    }

    @Test("A place that is wrong, or of a key that has lost it, is looked up again")
    func places() {
        var limiter = RateLimiter(callsPerSecond: 1, burst: 1, maxKeys: 2)
        for wrong in [Int.min, -1, 0, 1, .max] {
            var place = wrong
            #expect(limiter.admits("key\(wrong)", at: &place, now: .seconds(1)) == true)
            #expect((0..<2).contains(place))
            let known = place
            #expect(limiter.admits("key\(wrong)", at: &place, now: .seconds(1)) == false)
            #expect(place == known)
        }
        limiter = RateLimiter(callsPerSecond: 1, burst: 1, maxKeys: 2)
        var (first, second) = (-1, -1)
        #expect(limiter.admits("a", at: &first, now: .seconds(1)) == true)
        #expect(limiter.admits("b", at: &second, now: .seconds(1)) == true)
        #expect(first != second)
        // Each has its own bucket, whatever the other's place is.
        #expect(limiter.admits("a", at: &second, now: .seconds(1)) == false)
        #expect(second == first && limiter.keyCount == 2)
    }

    @Test("Rates out of range are taken for the nearest")
    func bad() {
        for rate in [0, -1, Double.nan, .infinity, 1e300] {
            var limiter = RateLimiter(callsPerSecond: rate, burst: -1, maxKeys: 0)
            #expect(limiter.admits("a", now: .seconds(1)) == true)
        }
        var limiter = RateLimiter(callsPerSecond: 0.001, burst: .max)
        for _ in 0..<100 { #expect(limiter.admits("a", now: .seconds(1)) == true) }
    }

    @Test("Calls that can't meet their deadlines are refused, once durations are known")
    func deadlines() {
        var refusal = DeadlineRefusal()
        for _ in 0..<15 { refusal.record(.milliseconds(20), now: .seconds(1)) }
        #expect(refusal.admits(remaining: .milliseconds(1), now: .seconds(1)) == true)
        refusal.record(.milliseconds(20), now: .seconds(1))
        #expect(refusal.admits(remaining: .milliseconds(19), now: .seconds(1)) == false)
        #expect(refusal.admits(remaining: .milliseconds(21), now: .seconds(1)) == true)
        #expect(
            refusal.admits(
                remaining: .milliseconds(21), queueDelay: .milliseconds(2), now: .seconds(1))
                == false)
        #expect(refusal.refusals == 2)
        #expect(refusal.admits(remaining: .milliseconds(-5), now: .seconds(1)) == false)
    }

    @Test("A method that was slow once is tried again")
    func forgets() {
        var refusal = DeadlineRefusal()
        for _ in 0..<100 { refusal.record(.seconds(1), now: .seconds(1)) }
        #expect(refusal.admits(remaining: .milliseconds(100), now: .seconds(2)) == false)
        #expect(refusal.admits(remaining: .milliseconds(100), now: .seconds(30)) == true)
    }
}
