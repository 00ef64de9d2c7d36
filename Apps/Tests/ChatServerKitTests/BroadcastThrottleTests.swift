import RocketSystem
import Testing

@testable import ChatServerKit

@Suite struct BroadcastThrottleTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    @Test func theFirstGoesOutAtOnce() {
        #expect(BroadcastThrottle().pause(start) == nil)
    }

    @Test func theNextWaitsForHalfOfWhatTheLastTook() {
        var pace = BroadcastThrottle()
        let ended = start + .milliseconds(4)
        pace.record(began: start, ended: ended)
        #expect(pace.pause(ended) == ended + .milliseconds(2))
        #expect(pace.pause(ended + .milliseconds(1)) == ended + .milliseconds(2))
        #expect(pace.pause(ended + .milliseconds(2)) == nil)
    }

    @Test func noPauseIsLongerThanTheLongest() {
        var pace = BroadcastThrottle()
        pace.record(began: start, ended: start + .seconds(1))
        #expect(
            pace.pause(start + .seconds(1)) == start + .seconds(1) + BroadcastThrottle.longestPause)
    }
}
