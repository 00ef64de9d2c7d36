import RocketBaseTestKit
import RocketSystem
import Testing

@Suite struct TimeTests {
    @Test("A duration is rounded up to whole nanoseconds")
    func rounding() {
        #expect(
            Duration(secondsComponent: 1, attosecondsComponent: 1).wholeNanoseconds
                == 1_000_000_001)
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
    }

    @Test("Short and long durations are rounded alike")
    func longDurations() {
        for seconds in [-20, -1, 0, 1, 9, 10, 20] as [Int64] {
            for (attoseconds, extra) in [(-1, 0), (0, 0), (1, 1)] as [(Int64, Int64)] {
                let duration = Duration(
                    secondsComponent: seconds, attosecondsComponent: attoseconds)
                #expect(duration.wholeNanoseconds == seconds * 1_000_000_000 + extra)
            }
        }
    }

    @Test("Time arithmetic is clamped at both ends")
    func clamping() {
        #expect(MonotonicTime.distantFuture + .seconds(1) == .distantFuture)
        #expect(MonotonicTime(nanoseconds: 7).later(by: 5) == MonotonicTime(nanoseconds: 12))
        #expect(MonotonicTime(nanoseconds: 7).later(by: .max) == .distantFuture)
        #expect(MonotonicTime(nanoseconds: 5) + .seconds(-1) == MonotonicTime(nanoseconds: 0))
    }

    @Test("A manual clock only changes when it is advanced")
    func manualClock() {
        let time = ManualTimeSource()
        let before = time.monotonic()
        #expect(time.monotonic() == before)
        time.advance(by: .milliseconds(5))
        #expect(time.monotonic() - before == .milliseconds(5))
    }

    @Test(
        "Computes the civil date of a moment",
        arguments: [
            (0, 1970_01_01), (-1, 1969_12_31), (951_782_400, 2000_02_29),
            (1_709_251_199, 2024_02_29), (1_709_251_200, 2024_03_01),
            (-30_610_224_000, 1000_01_01), (253_402_300_799, 9999_12_31),
        ])
    func civilDates(seconds: Int64, number: Int) {
        #expect(CivilDate(secondsSince1970: seconds).number == number)
    }

    @Test("The civil date of a moment depends on the offset from UTC")
    func civilDateOffsets() {
        let beforeEpoch = WallTime(nanoseconds: -1)
        #expect(CivilDate(at: beforeEpoch, utcOffsetSeconds: 0).number == 1969_12_31)
        #expect(CivilDate(at: beforeEpoch, utcOffsetSeconds: 1).number == 1970_01_01)
    }
}
