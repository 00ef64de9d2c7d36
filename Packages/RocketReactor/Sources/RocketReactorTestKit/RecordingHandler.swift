public import RocketReactor

/// A handler of I/O and tick ends that records its calls and runs closures of the test. Bound to
/// the loop's thread.
public final class RecordingHandler: IOHandler, TickEndHandler {
    /// All events so far, in their order.
    public private(set) var events: [IOEvents] = []
    /// The number of tick ends so far.
    public private(set) var tickEnds = 0
    /// Called after an event was recorded.
    public var onReady: ((IOEvents, Reactor) -> Void)?
    /// Called after a tick end was recorded.
    public var onTickEnd: ((Reactor) -> Void)?

    /// Creates a handler.
    public init(onReady: ((IOEvents, Reactor) -> Void)? = nil) { self.onReady = onReady }

    /// Called by the reactor.
    public func ready(_ events: IOEvents, on reactor: Reactor) {
        self.events.append(events)
        onReady?(events, reactor)
    }

    /// Called by the reactor.
    public func tickEnding(on reactor: Reactor) {
        tickEnds += 1
        onTickEnd?(reactor)
    }
}
