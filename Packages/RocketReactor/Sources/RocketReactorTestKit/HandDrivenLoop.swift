public import RocketBase
public import RocketBaseTestKit
public import RocketReactor
public import RocketSystem

/// A loop with a manual clock, driven tick by tick by the test's own thread.
///
/// The test must remain on one thread, or it traps: a synchronous test function, or the synchronous
/// part of an asynchronous one.
public final class HandDrivenLoop {
    /// The loop.
    public let loop: EventLoop
    /// Its clock.
    public let clock: ManualTimeSource

    /// Creates the loop and claims it for the calling thread.
    public init(
        configuration: EventLoopConfiguration = EventLoopConfiguration(),
        clock: ManualTimeSource = ManualTimeSource(),
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        logger: RocketLogger = .disabled
    ) throws(SystemError) {
        self.clock = clock
        loop = try EventLoop(
            name: "hand-driven", configuration: configuration, time: clock, random: random,
            logger: logger)
        loop.claim()
    }

    /// Its reactor, for use between ticks.
    public var reactor: Reactor { loop.withReactor { $0 } }

    /// Runs one tick without waiting.
    @discardableResult
    public func tick() -> TickResult { loop.tick(waitingAtMost: .zero) }

    /// Advances the clock, then runs one tick.
    @discardableResult
    public func tick(after duration: Duration) -> TickResult {
        clock.advance(by: duration)
        return tick()
    }

    /// Runs ticks until one does nothing, at most `limit` of them. Returns how many did something.
    @discardableResult
    public func tickUntilIdle(limit: Int = 10_000) -> Int {
        for number in 0..<limit where tick().isIdle { return number }
        return limit
    }
}
