/// A descriptor's place in its loop: what it wants to know, and who is told.
///
/// Made by `Reactor.register`, bound to the loop's thread. Cancel it before the descriptor is
/// closed. It knows the descriptor by number only; the handler owns the descriptor.
public final class Registration {
    /// Where it was registered, for logs.
    public let label: StaticString
    let raw: Int32
    let token: UInt64
    private(set) var handler: (any IOHandler)?
    var wanted: IOInterest
    /// What the kernel was told last.
    var applied: IOInterest
    /// Stands in the reactor's list of changes, to be applied before the next wait.
    var isChanged = false
    private var reactor: Reactor?

    init(
        raw: Int32, token: UInt64, interest: IOInterest, label: StaticString,
        handler: any IOHandler, reactor: Reactor
    ) {
        self.raw = raw
        self.token = token
        wanted = interest
        self.applied = interest
        self.label = label
        self.handler = handler
        self.reactor = reactor
    }

    /// What it wants to know; nothing after `cancel`.
    public var interest: IOInterest { wanted }

    /// True until `cancel`.
    public var isActive: Bool { handler != nil }

    /// Changes what it wants to know. Counts at once for events that are already here; the kernel
    /// is told before the next wait, once, and only if the last word differs from what it knows.
    /// Without effect after `cancel`.
    public func setInterest(_ wanted: IOInterest) {
        guard wanted != self.wanted, let reactor else { return }
        self.wanted = wanted
        if isChanged { return }
        isChanged = true
        unsafe reactor.changed.append(self)
    }

    /// Ends it: from now on the handler hears nothing, not even of events that are already here,
    /// and the loop lets go of it. Again: without effect.
    public func cancel() {
        guard let reactor else { return }
        // The kernel first: letting go of the handler may close the descriptor.
        reactor.forget(self)
        detach()
    }

    /// Lets go of handler and reactor.
    func detach() {
        wanted = []
        reactor = nil
        // Last, and out of this object before its end: it may come back here through `cancel`.
        let last = handler.take()
        withExtendedLifetime(last) {}
    }
}
