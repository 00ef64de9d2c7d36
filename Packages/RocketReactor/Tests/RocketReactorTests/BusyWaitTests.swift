import RocketReactorTestKit
import RocketSystem
import Testing

@testable import RocketReactor

@Suite(.oneAtATime) struct BusyWaitTests {
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

    @Test("The limit can be set anew, and is 1 ms at most")
    func setAnew() throws {
        let loop = try EventLoop(name: "busy")
        loop.claim()
        loop.withReactor { reactor in
            reactor.setBusyWait(.microseconds(50))
            #expect(reactor.busyWait.limit == 50_000)
            reactor.setBusyWait(.seconds(1))
            #expect(reactor.busyWait.limit == 1_000_000)
            reactor.setBusyWait(.seconds(-1))
            #expect(reactor.busyWait.limit == 0)
        }
    }

    /// A loop that waits busily for 1 ms, in steps of 1 us of its clock.
    private struct Rig {
        let clock = SteppingTimeSource()
        let event: Event
        let loop: EventLoop

        init() throws {
            var configuration = EventLoopConfiguration()
            configuration.busyWait = .milliseconds(1)
            loop = try EventLoop(name: "busy", configuration: configuration, time: clock)
            loop.claim()
            let event = try Event()
            self.event = event
            try loop.withReactor { reactor in
                _ = try reactor.register(
                    event.source.descriptor, interest: [.read, .edgeTriggered], label: "test",
                    handler: event)
            }
            // A short wait, so that the next one is busy.
            loop.tick(waitingAtMost: .zero)
        }

        /// A tick that may wait: in it the clock moves by looks only.
        func tick() -> TickResult { loop.tick(waitingAtMost: .milliseconds(1)) }
    }

    @Test("A timer that comes before the end of the busy wait ends it at its time")
    func timer() throws {
        let rig = try Rig()
        var fired: MonotonicTime?
        let due = rig.loop.withReactor { reactor in
            let due = reactor.now + .microseconds(100)
            reactor.schedule(at: due, label: "timer") { fired = $0.now }
            return due
        }
        #expect(rig.tick().timers == 1)
        let moment = try #require(fired)
        #expect(due <= moment && moment < due + .microseconds(10))
    }

    @Test("A timer that was cancelled does not end the busy wait")
    func cancelledTimer() throws {
        let rig = try Rig()
        rig.loop.withReactor { reactor in
            reactor.schedule(after: .microseconds(10), label: "cancelled") { _ in }.cancel()
            reactor.schedule(after: .seconds(10), label: "waits") { _ in }
        }
        rig.clock.advance(by: .microseconds(50))
        rig.clock.afterLooks(20) { rig.event.source.signal() }
        #expect(rig.tick().events == 1)
    }

    @Test("A task that another thread sends ends the busy wait without a wakeup")
    func task() throws {
        let rig = try Rig()
        let loop = rig.loop
        rig.clock.afterLooks(20) {
            // What another thread does.
            _ = loop.inbox.append(.closure { _ in }, isJob: false)
            #expect(!loop.wakeup.wakeIfAsleep())
        }
        #expect(rig.tick().tasks == 1)
        loop.tick(waitingAtMost: .zero)
        #expect(loop.statistics.wakeups == 0)
    }

    @Test("An event that ends a busy wait has not waited, however long the tick before was")
    func lateness() throws {
        let rig = try Rig()
        func work() {
            rig.loop.execute { [clock = rig.clock] _ in clock.advance(by: .milliseconds(20)) }
            rig.loop.tick(waitingAtMost: .zero)
        }
        func lateness() -> UInt64 { rig.loop.withReactor { $0.latenessNanoseconds } }
        work()
        rig.clock.afterLooks(1) { rig.event.source.signal() }
        #expect(rig.tick().events == 1)
        #expect(lateness() == 0)
        // One that is there at the first look may have waited.
        work()
        rig.event.source.signal()
        #expect(rig.tick().events == 1)
        #expect(lateness() >= 20_000_000)
    }

    @Test("Runs what other threads send at any moment of a busy wait")
    func threads() async throws {
        var configuration = EventLoopConfiguration()
        configuration.busyWait = .milliseconds(1)
        let thread = try IOThread(name: "busy", configuration: configuration)
        for _ in 0..<1_000 {
            await withCheckedContinuation { done in
                thread.loop.execute { _ in done.resume() }
            }
        }
        thread.stop()
        await thread.ended()
    }
}

/// An event that the test causes.
private final class Event: IOHandler, Sendable {
    let source: EventDescriptor

    init() throws { source = try EventDescriptor() }

    func ready(_ events: IOEvents, on reactor: Reactor) {}
}

/// Moves on by 1 us with each look.
private final class SteppingTimeSource: TimeSource {
    private struct State {
        var nanoseconds: UInt64 = 1_000_000
        var looksLeft = 0
        var body: (@Sendable () -> Void)?
    }

    private let state = Locked(State())

    func monotonic() -> MonotonicTime {
        let (nanoseconds, body) = state.withLock { state in
            state.nanoseconds += 1_000
            state.looksLeft -= 1
            return (state.nanoseconds, state.looksLeft == 0 ? state.body.take() : nil)
        }
        body?()
        return MonotonicTime(nanoseconds: nanoseconds)
    }

    func wall() -> WallTime { SystemTimeSource().wall() }

    func advance(by duration: Duration) {
        state.withLock { $0.nanoseconds += UInt64(duration.wholeNanoseconds) }
    }

    /// Runs `body` within the look number `count` from now.
    func afterLooks(_ count: Int, _ body: @escaping @Sendable () -> Void) {
        state.withLock {
            $0.looksLeft = count
            $0.body = body
        }
    }
}
