import RocketReactorTestKit
import RocketSystem
import Testing

@testable import RocketReactor

@Suite struct BusyWaitTests {
    @Test("Waits busily after a short wait, and not after a longer one")
    func adaptive() {
        var wait = BusyWait(nanoseconds: 50)
        #expect(wait.nanoseconds == 0)
        wait.waited(50)
        #expect(wait.nanoseconds == 50)
        wait.waited(51)
        #expect(wait.nanoseconds == 0)
        wait.waited(0)
        #expect(wait.nanoseconds == 50)
    }

    @Test("Never waits busily by default")
    func off() {
        var wait = BusyWait(nanoseconds: 0)
        wait.waited(0)
        #expect(wait.nanoseconds == 0)
        #expect(EventLoopConfiguration().busyWait == .zero)
    }

    /// The clock moves by a step with each look, so that the busy wait ends by itself.
    private func loop(busyWait: Duration) throws -> EventLoop {
        let clock = SteppingTimeSource()
        var configuration = EventLoopConfiguration()
        configuration.busyWait = busyWait
        let loop = try EventLoop(name: "busy", configuration: configuration, time: clock)
        loop.claim()
        return loop
    }

    @Test("A timer that comes before the end of the busy wait fires at its time")
    func timer() throws {
        let loop = try loop(busyWait: .milliseconds(1))
        loop.tick(waitingAtMost: .zero)
        var fired: MonotonicTime?
        let due = loop.withReactor { reactor in
            let due = reactor.now + .microseconds(100)
            reactor.schedule(at: due, label: "timer") { fired = $0.now }
            return due
        }
        while fired == nil { loop.tick(waitingAtMost: .milliseconds(1)) }
        #expect(try #require(fired) >= due)
    }

    @Test("A task that another thread sends ends the busy wait without a wakeup")
    func task() async throws {
        let thread = try IOThread(
            name: "busy",
            configuration: {
                var configuration = EventLoopConfiguration()
                configuration.busyWait = .milliseconds(1)
                return configuration
            }())
        for _ in 0..<1_000 {
            await withCheckedContinuation { done in
                thread.loop.execute { _ in done.resume() }
            }
        }
        thread.stop()
        await thread.ended()
    }
}

/// Moves on by 1 us with each look.
private final class SteppingTimeSource: TimeSource {
    private let nanoseconds = Locked<UInt64>(1_000_000)

    func monotonic() -> MonotonicTime {
        MonotonicTime(
            nanoseconds: nanoseconds.withLock { value in
                value += 1_000
                return value
            })
    }

    func wall() -> WallTime { SystemTimeSource().wall() }
}
