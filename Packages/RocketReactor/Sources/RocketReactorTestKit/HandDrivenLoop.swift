public import RocketBase
public import RocketBaseTestKit
public import RocketReactor
public import RocketSystem

/// A loop on a clock that stands still, driven tick by tick by the test's own thread.
///
/// The test must stay on one thread: a synchronous test function, or the synchronous stretch of an
/// asynchronous one.
public final class HandDrivenLoop {
    /// The loop.
    public let loop: EventLoop
    /// Its clock.
    public let clock: ManualTimeSource

    /// Makes the loop and claims it for the calling thread.
    public init(
        configuration: EventLoopConfiguration = EventLoopConfiguration(),
        clock: ManualTimeSource = ManualTimeSource(), logger: RocketLogger = .disabled
    ) throws(SystemError) {
        self.clock = clock
        loop = try EventLoop(
            name: "hand-driven", configuration: configuration, time: clock, logger: logger)
        loop.claim()
    }

    /// Its reactor, for what a test does between ticks.
    public var reactor: Reactor { loop.withReactor { $0 } }

    /// One tick without waiting.
    @discardableResult
    public func tick() -> TickResult { loop.tick(waitingAtMost: .zero) }

    /// Moves the clock on, then one tick.
    @discardableResult
    public func tick(after duration: Duration) -> TickResult {
        clock.advance(by: duration)
        return tick()
    }

    /// Ticks until one does nothing, at most `limit` times; returns how many did something.
    @discardableResult
    public func tickUntilIdle(limit: Int = 10_000) -> Int {
        for number in 0..<limit where tick().isIdle { return number }
        return limit
    }
}
