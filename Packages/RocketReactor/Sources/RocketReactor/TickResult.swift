/// What one tick has done.
public struct TickResult: Hashable, Sendable {
    /// Events delivered to handlers.
    public var events = 0
    /// Timers fired.
    public var timers = 0
    /// Closures and executor jobs run.
    public var tasks = 0

    /// True when there was nothing to do.
    public var isIdle: Bool { events + timers + tasks == 0 }
}
