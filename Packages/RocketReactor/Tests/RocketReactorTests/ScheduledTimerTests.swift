import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@Suite(.oneAtATime) struct ScheduledTimerTests {
    @Test func aTimerNeverFiresEarly() throws {
        let hand = try HandDrivenLoop()
        var fired = 0
        hand.reactor.schedule(after: .milliseconds(5)) { _ in fired += 1 }
        hand.tick(after: .milliseconds(5) - .nanoseconds(1))
        #expect(fired == 0)
        hand.tick(after: .nanoseconds(1))
        #expect(fired == 1)
        hand.tick(after: .seconds(1))
        #expect(fired == 1 && hand.reactor.timerCount == 0)
    }

    @Test func aTimerCancelledByAnotherTimersCallbackDoesNotFire() throws {
        let hand = try HandDrivenLoop()
        var fired: [String] = []
        var victim: ScheduledTimer?
        hand.reactor.schedule(after: .milliseconds(1)) { _ in
            fired.append("first")
            victim?.cancel()
        }
        victim = hand.reactor.schedule(after: .milliseconds(1)) { _ in fired.append("victim") }
        hand.tick(after: .milliseconds(1))
        #expect(fired == ["first"])
        #expect(victim?.isActive == false)
    }

    @Test func aRepeatingTimerMayCancelItself() throws {
        let hand = try HandDrivenLoop()
        var fired = 0
        var timer: ScheduledTimer?
        timer = hand.reactor.schedule(every: .milliseconds(1)) { _ in
            fired += 1
            if fired == 3 {
                timer?.cancel()
                timer?.cancel()
            }
        }
        for _ in 0..<10 { hand.tick(after: .milliseconds(1)) }
        #expect(fired == 3 && hand.reactor.timerCount == 0)
    }

    @Test func aLateRepeatingTimerFiresOnce() throws {
        let hand = try HandDrivenLoop()
        var fired = 0
        let timer = hand.reactor.schedule(every: .milliseconds(10)) { _ in fired += 1 }
        hand.tick(after: .milliseconds(95))
        #expect(fired == 1)
        hand.tick(after: .milliseconds(4))
        #expect(fired == 1)
        hand.tick(after: .milliseconds(1))
        #expect(fired == 2)
        timer.cancel()
    }

    @Test func aTimerForNowSetByATimerFiresInALaterTick() throws {
        let hand = try HandDrivenLoop()
        var fired = 0
        func again(_ reactor: Reactor) {
            fired += 1
            if fired < 5 { reactor.schedule(after: .zero, again) }
        }
        hand.reactor.schedule(after: .zero, again)
        #expect(hand.tick().timers == 0)
        for _ in 0..<5 { #expect(hand.tick(after: .nanoseconds(1)).timers == 1) }
    }

    @Test func oneTickFiresOneBatchAtMost() throws {
        var configuration = EventLoopConfiguration()
        configuration.timersPerTick = 10
        let hand = try HandDrivenLoop(configuration: configuration)
        for _ in 0..<25 { hand.reactor.schedule(after: .milliseconds(1)) { _ in } }
        #expect(hand.tick(after: .milliseconds(1)).timers == 10)
        #expect(hand.tick().timers == 10)
        #expect(hand.tick().timers == 5)
    }

    @Test func aTickWaitsForTheSoonestTimerOnly() throws {
        let loop = try EventLoop(name: "real time")
        loop.claim()
        var fired = false
        // The loop's own time: it stands still between ticks, and a timer counts from it.
        let start = loop.withReactor { $0.now }
        loop.withReactor { $0.schedule(after: .microseconds(300)) { _ in fired = true } }
        while !fired { loop.tick(waitingAtMost: .seconds(60)) }
        #expect(SystemTimeSource().monotonic() - start >= .microseconds(300))
    }

    @Test func aTimerSetFromElsewhereIsCancelledFromElsewhere() throws {
        let hand = try HandDrivenLoop()
        let journal = Journal()
        let kept = hand.loop.schedule(after: .milliseconds(1)) { _ in journal.note("kept") }
        let early = hand.loop.schedule(after: .milliseconds(1)) { _ in journal.note("early") }
        let armed = hand.loop.schedule(every: .milliseconds(1)) { _ in journal.note("armed") }
        #expect(early.cancel())
        hand.tick()
        #expect(hand.reactor.timerCount == 2)
        hand.tick(after: .milliseconds(1))
        #expect(armed.cancel())
        #expect(!armed.cancel())
        #expect(!kept.cancel() && !kept.isActive)
        hand.tick(after: .milliseconds(10))
        #expect(journal.lines == ["kept", "armed"])
        #expect(hand.reactor.timerCount == 0)
    }
}
