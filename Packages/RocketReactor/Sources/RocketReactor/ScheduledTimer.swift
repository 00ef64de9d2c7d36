/// A timer of a reactor, bound to its loop's thread. Dropping the handle does not cancel it.
public final class ScheduledTimer {
    /// Where it was scheduled, for logs.
    public let label: StaticString
    var id: TimerID?
    private let isRepeating: Bool
    private var body: ((Reactor) -> Void)?
    private var reactor: Reactor?

    init(
        label: StaticString, isRepeating: Bool, reactor: Reactor,
        body: @escaping (Reactor) -> Void
    ) {
        self.label = label
        self.isRepeating = isRepeating
        self.reactor = reactor
        self.body = body
    }

    /// True until it has fired for the last time or was cancelled.
    public var isActive: Bool { body != nil }

    /// From now on it does not fire, also when its deadline has passed in this very tick. A
    /// repeating timer may cancel itself while it fires. Again, or too late: without effect.
    public func cancel() {
        guard let reactor = end(), let id else { return }
        unsafe reactor.timers.remove(id)
    }

    /// The deadline has passed. Nothing happens when it was cancelled before in the same tick.
    func fire(on reactor: Reactor) {
        guard let body else { return }
        if !isRepeating { _ = end() }
        body(reactor)
    }

    /// Lets go of body and reactor.
    func end() -> Reactor? {
        body = nil
        defer { reactor = nil }
        return reactor
    }
}
