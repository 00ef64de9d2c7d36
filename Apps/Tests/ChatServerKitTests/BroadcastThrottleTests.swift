import RocketSystem
import Testing

@testable import ChatServerKit

@Suite("BroadcastThrottle") struct BroadcastThrottleTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    @Test("The first broadcast does not wait")
    func first() {
        #expect(BroadcastThrottle().pauseEnd(start) == nil)
    }

    @Test("The next broadcast waits for half the time that the last one took")
    func next() {
        var throttle = BroadcastThrottle()
        let ended = start + .milliseconds(4)
        throttle.record(began: start, ended: ended)
        #expect(throttle.pauseEnd(ended) == ended + .milliseconds(2))
        #expect(throttle.pauseEnd(ended + .milliseconds(1)) == ended + .milliseconds(2))
        #expect(throttle.pauseEnd(ended + .milliseconds(2)) == nil)
    }

    @Test("No pause exceeds the longest pause")
    func longest() {
        var throttle = BroadcastThrottle()
        throttle.record(began: start, ended: start + .seconds(1))
        #expect(
            throttle.pauseEnd(start + .seconds(1))
                == start + .seconds(1) + BroadcastThrottle.longestPause)
    }
}
