import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Synchronization
import Testing

@Suite(.oneAtATime) struct ObservationTests {
    @Test("Reports a slow callback with its label")
    func aSlowCallbackIsReportedWithItsLabel() throws {
        let reports = Shared<[String]>([])
        var configuration = EventLoopConfiguration()
        configuration.slowCallback = .milliseconds(50)
        configuration.onSlowCallback = { slow in
            reports.withLock { $0.append("\(slow.loop) \(slow.label) \(slow.duration)") }
        }
        let hand = try HandDrivenLoop(configuration: configuration)
        let clock = hand.clock
        hand.reactor.schedule(after: .zero, label: "slow timer") { _ in
            clock.advance(by: .milliseconds(80))
        }
        hand.loop.execute { _ in clock.advance(by: .milliseconds(49)) }
        hand.loop.execute { _ in clock.advance(by: .milliseconds(50)) }
        hand.tick(after: .milliseconds(1))
        #expect(
            reports.withLock { $0 } == [
                "hand-driven slow timer 0.08 seconds", "hand-driven execute 0.05 seconds",
            ])
        #expect(hand.loop.statistics.longestCallbackNanoseconds == 80_000_000)
    }

    @Test("Events may have waited for as long as the tick before took, unless the loop slept")
    func lateness() throws {
        let hand = try HandDrivenLoop()
        let clock = hand.clock
        hand.tick(after: .milliseconds(1))
        #expect(hand.reactor.latenessNanoseconds == 0)
        hand.loop.execute { _ in clock.advance(by: .milliseconds(8)) }
        hand.tick()
        #expect(hand.reactor.latenessNanoseconds == 0)
        hand.tick(after: .microseconds(50))
        #expect(hand.reactor.latenessNanoseconds == 8_000_000)
        hand.loop.execute { _ in clock.advance(by: .milliseconds(8)) }
        hand.tick()
        hand.tick(after: .microseconds(51))
        #expect(hand.reactor.latenessNanoseconds == 0)
    }

    @Test("Counts ticks, tasks, timers and events")
    func theCountersCount() throws {
        let hand = try HandDrivenLoop()
        hand.loop.execute { _ in }
        hand.reactor.schedule(after: .zero) { _ in }
        let endpoint = try Endpoint(on: hand.reactor)
        endpoint.poke()
        hand.tick(after: .milliseconds(1))
        let counters = hand.loop.statistics
        #expect(counters.ticks == 1 && counters.tasks == 1)
        #expect(counters.timers == 1 && counters.events == 1)
        endpoint.cancelAndClose()
    }

    @Test("Shows a watchdog that a loop is stuck")
    func aWatchdogSeesALoopThatIsStuck() throws {
        let hand = try HandDrivenLoop()
        let loop = hand.loop
        let clock = hand.clock
        let seen = Shared<[Bool]>([])
        loop.execute { _ in
            for _ in 0..<2 {
                clock.advance(by: .milliseconds(600))
                let isStuck = loop.lastProgress.isStuck(
                    at: clock.monotonic(), longerThan: .seconds(1))
                seen.withLock { $0.append(isStuck) }
            }
        }
        hand.tick()
        #expect(seen.withLock { $0 } == [false, true])
        #expect(!LoopProgress.waiting.isStuck(at: .distantFuture, longerThan: .zero))
    }
}

extension LoopProgress {
    /// The progress of a loop that no thread has driven yet.
    fileprivate static var waiting: LoopProgress {
        (try? EventLoop(name: "idle").lastProgress)
            ?? LoopProgress(since: .distantFuture, isWaiting: true)
    }
}
