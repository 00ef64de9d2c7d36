public import RocketReactor

/// A handler of I/O and tick ends that remembers what it heard and does what the test says.
public final class RecordingHandler: IOHandler, TickEndHandler {
    /// All events so far, in their order.
    public private(set) var heard: [IOEvents] = []
    /// Tick ends so far.
    public private(set) var tickEnds = 0
    /// Called after an event was noted.
    public var onReady: ((IOEvents, Reactor) -> Void)?
    /// Called after a tick end was noted.
    public var onTickEnd: ((Reactor) -> Void)?

    /// A handler that only remembers.
    public init(onReady: ((IOEvents, Reactor) -> Void)? = nil) { self.onReady = onReady }

    /// The reactor calls this.
    public func ready(_ events: IOEvents, on reactor: Reactor) {
        heard.append(events)
        onReady?(events, reactor)
    }

    /// The reactor calls this.
    public func tickEnding(on reactor: Reactor) {
        tickEnds += 1
        onTickEnd?(reactor)
    }
}
