import RocketSystem
import Testing

@testable import RocketNames

@Suite final class DNSNamesScheduleTests {
    /// Draws the greatest number: each wait is as long as it may be.
    private struct Greatest: RandomNumberGenerator {
        func next() -> UInt64 { .max }
    }

    private var schedule = DNSSchedule()
    private var random = Greatest()
    private var now = MonotonicTime(nanoseconds: 1_000_000_000_000)

    /// Ends a lookup, and returns after how many milliseconds the next one is due.
    private func end(_ outcome: DNSSchedule.Outcome) -> Int64? {
        schedule.began()
        schedule.ended(outcome, at: now, using: &random)
        return wait
    }

    private func refresh() -> Bool { schedule.refresh(at: now) }

    private var wait: Int64? {
        schedule.due.map { ($0 - now).wholeNanoseconds }.map { ($0 + 500_000) / 1_000_000 }
    }

    @Test("A TTL counts within its bounds; without one it is 30 s")
    func ttl() {
        #expect(end(.found(ttl: .seconds(60), isNew: true)) == 60_000)
        #expect(end(.found(ttl: .zero, isNew: true)) == 1_000)
        #expect(end(.found(ttl: .seconds(86_400), isNew: true)) == 300_000)
        #expect(end(.found(ttl: nil, isNew: true)) == 30_000)
        #expect(end(.negative(ttl: .seconds(20))) == 20_000)
        #expect(end(.negative(ttl: nil)) == 30_000)
    }

    @Test("Failures are repeated after waits that double up to 30 s, until one succeeds")
    func failures() {
        var waits: [Int64?] = []
        for _ in 0..<6 { waits.append(end(.failed)) }
        #expect(waits == [2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
        #expect(end(.found(ttl: .seconds(60), isNew: false)) == 60_000)
        #expect(end(.failed) == 2_000)
        // The part that could not be looked up is asked for again, too; at the latest with the rest.
        #expect(end(.foundPart(ttl: .seconds(60))) == 4_000)
        #expect(end(.foundPart(ttl: .seconds(5))) == 5_000)
    }

    @Test("A refresh looks up at once, but not within a second, nor what has failed or is negative")
    func refreshes() {
        _ = end(.found(ttl: .seconds(60), isNew: true))
        #expect(refresh() && wait == 1_000)
        // A second one is in vain.
        #expect(!refresh())
        _ = end(.found(ttl: .seconds(60), isNew: true))
        now = now + .seconds(10)
        #expect(refresh() && wait == 0)
        schedule.began()
        #expect(!refresh())
        _ = end(.negative(ttl: .seconds(20)))
        #expect(!refresh())
        _ = end(.failed)
        #expect(!refresh())
    }

    @Test("Refreshes that bring nothing new become rarer, up to one in 30 s")
    func fruitless() {
        _ = end(.found(ttl: .seconds(300), isNew: true))
        var waits: [Int64?] = []
        for _ in 0..<7 {
            #expect(refresh())
            waits.append(wait)
            _ = end(.found(ttl: .seconds(300), isNew: false))
        }
        #expect(waits == [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
        #expect(refresh())
        _ = end(.found(ttl: .seconds(300), isNew: true))
        #expect(refresh())
        #expect(wait == 1_000)
    }
}
