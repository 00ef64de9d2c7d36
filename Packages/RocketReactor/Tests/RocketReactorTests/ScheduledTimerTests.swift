import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@Suite(.oneAtATime) struct ScheduledTimerTests {
    @Test("Never fires a timer early")
    func aTimerNeverFiresEarly() throws {
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

    @Test("Does not fire a timer that another timer's callback cancelled")
    func aTimerCancelledByAnotherTimersCallbackDoesNotFire() throws {
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

    @Test("Lets a repeating timer cancel itself")
    func aRepeatingTimerMayCancelItself() throws {
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

    @Test("Fires a late repeating timer once")
    func aLateRepeatingTimerFiresOnce() throws {
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

    @Test("Fires a timer for now that a timer has set in a later tick")
    func aTimerForNowSetByATimerFiresInALaterTick() throws {
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

    @Test("Fires at most one batch of timers per tick")
    func oneTickFiresOneBatchAtMost() throws {
        var configuration = EventLoopConfiguration()
        configuration.timersPerTick = 10
        let hand = try HandDrivenLoop(configuration: configuration)
        for _ in 0..<25 { hand.reactor.schedule(after: .milliseconds(1)) { _ in } }
        #expect(hand.tick(after: .milliseconds(1)).timers == 10)
        #expect(hand.tick().timers == 10)
        #expect(hand.tick().timers == 5)
    }

    @Test("Waits no longer than to the soonest timer")
    func aTickWaitsForTheSoonestTimerOnly() throws {
        let loop = try EventLoop(name: "real time")
        loop.claim()
        var fired = false
        // The loop's time, which is constant between ticks: timers count from it.
        let start = loop.withReactor { $0.now }
        loop.withReactor { $0.schedule(after: .microseconds(300)) { _ in fired = true } }
        while !fired { loop.tick(waitingAtMost: .seconds(60)) }
        #expect(SystemTimeSource().monotonic() - start >= .microseconds(300))
    }

    @Test("Cancels a timer from the thread that scheduled it")
    func aTimerSetFromElsewhereIsCancelledFromElsewhere() throws {
        let hand = try HandDrivenLoop()
        let log = EventLog()
        let kept = hand.loop.schedule(after: .milliseconds(1)) { _ in log.record("kept") }
        let early = hand.loop.schedule(after: .milliseconds(1)) { _ in log.record("early") }
        let armed = hand.loop.schedule(every: .milliseconds(1)) { _ in log.record("armed") }
        #expect(early.cancel())
        hand.tick()
        #expect(hand.reactor.timerCount == 2)
        hand.tick(after: .milliseconds(1))
        #expect(armed.cancel())
        #expect(!armed.cancel())
        #expect(!kept.cancel() && !kept.isActive)
        hand.tick(after: .milliseconds(10))
        #expect(log.lines == ["kept", "armed"])
        #expect(hand.reactor.timerCount == 0)
    }
}
