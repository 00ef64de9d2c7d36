import RocketBaseTestKit
import RocketSystem
import Testing

@Suite struct TimeTests {
    @Test func aDurationIsRoundedUpToWholeNanoseconds() {
        #expect(
            Duration(secondsComponent: 1, attosecondsComponent: 1).wholeNanoseconds
                == 1_000_000_001)
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
    }

    @Test func shortAndLongDurationsAreRoundedAlike() {
        for seconds in [-20, -1, 0, 1, 9, 10, 20] as [Int64] {
            for (attoseconds, extra) in [(-1, 0), (0, 0), (1, 1)] as [(Int64, Int64)] {
                let duration = Duration(
                    secondsComponent: seconds, attosecondsComponent: attoseconds)
                #expect(duration.wholeNanoseconds == seconds * 1_000_000_000 + extra)
            }
        }
    }

    @Test func timeNeverWrapsAtItsEnds() {
        #expect(MonotonicTime.distantFuture + .seconds(1) == .distantFuture)
        #expect(MonotonicTime(nanoseconds: 7).later(by: 5) == MonotonicTime(nanoseconds: 12))
        #expect(MonotonicTime(nanoseconds: 7).later(by: .max) == .distantFuture)
        #expect(MonotonicTime(nanoseconds: 5) + .seconds(-1) == MonotonicTime(nanoseconds: 0))
    }

    @Test func aManualClockStandsStillUntilItIsMoved() {
        let time = ManualTimeSource()
        let before = time.monotonic()
        #expect(time.monotonic() == before)
        time.advance(by: .milliseconds(5))
        #expect(time.monotonic() - before == .milliseconds(5))
    }
}
