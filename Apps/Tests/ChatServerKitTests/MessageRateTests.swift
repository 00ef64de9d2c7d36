import RocketSystem
import Testing

@testable import ChatServerKit

@Suite("MessageRate") struct MessageRateTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    private func taken(_ rate: inout MessageRate, at now: MonotonicTime, most: Int = 1000) -> Int {
        (0..<most).prefix { _ in rate.take(now) }.count
    }

    @Test("Allows a burst at once, then as many as the rate allows")
    func burst() {
        var rate = MessageRate(perSecond: 100, burst: 20, now: start)
        #expect(taken(&rate, at: start) == 20)
        #expect(taken(&rate, at: start + .milliseconds(9)) == 0)
        #expect(taken(&rate, at: start + .milliseconds(10)) == 1)
        #expect(taken(&rate, at: start + .milliseconds(50)) == 4)
        #expect(taken(&rate, at: start + .seconds(10)) == 20)
    }

    @Test("Loses no fraction of a token")
    func fractions() {
        var rate = MessageRate(perSecond: 3, burst: 2, now: start)
        var sent = 0
        for millisecond in 0...10_000 where rate.take(start + .milliseconds(millisecond)) {
            sent += 1
        }
        #expect(sent == 2 + 30)
    }

    @Test("Waits until a few tokens are available")
    func waiting() {
        var rate = MessageRate(perSecond: 100, burst: 20, now: start)
        #expect(rate.wait() == .zero)
        _ = taken(&rate, at: start)
        let wait = rate.wait()
        #expect(wait >= .milliseconds(50) && wait <= .milliseconds(51))
        #expect(taken(&rate, at: start + wait) == 5)
    }

    @Test("A rate of zero is no limit")
    func unlimited() {
        var rate = MessageRate(perSecond: 0, burst: 1, now: start)
        #expect(taken(&rate, at: start) == 1000)
        #expect(rate.wait() == .zero)
    }

    @Test("A new limit applies from the moment of the change")
    func change() {
        var rate = MessageRate(perSecond: 10, burst: 10, now: start)
        _ = taken(&rate, at: start)
        rate.change(perSecond: 1000, burst: 5, now: start)
        #expect(taken(&rate, at: start) == 0)
        #expect(taken(&rate, at: start + .seconds(1)) == 5)
    }

    @Test("The time before a change counts at the rate of that time")
    func timeBeforeAChange() {
        var rate = MessageRate(perSecond: 10, burst: 10, now: start)
        _ = taken(&rate, at: start)
        let later = start + .milliseconds(200)
        rate.change(perSecond: 1000, burst: 5, now: later)
        #expect(taken(&rate, at: later) == 2)
    }
}
