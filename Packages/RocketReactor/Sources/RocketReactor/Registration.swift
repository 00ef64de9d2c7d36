import RocketBase
public import RocketSystem

/// Which events a registration observes.
@frozen
public struct IOInterest: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt8
    /// Creates a set from its bits.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// There is something to read, a connection to accept, or the end of the input.
    public static let read = IOInterest(rawValue: 1)
    /// There is room to write, or a connect has finished.
    public static let write = IOInterest(rawValue: 2)
    /// The peer has shut its writing side, also while `read` is not in the set.
    public static let readHangup = IOInterest(rawValue: 4)
    /// One event per change instead of one per tick as long as the condition holds. Fixed at
    /// registration.
    public static let edgeTriggered = IOInterest(rawValue: 8)
}

/// What has happened on a descriptor. `hangup` and `error` are reported whatever the interest is.
@frozen
public struct IOEvents: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt8
    /// Creates a set from its bits.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Reading will not block.
    public static let readable = IOEvents(rawValue: 1)
    /// Writing will not block.
    public static let writable = IOEvents(rawValue: 2)
    /// The peer has shut its writing side.
    public static let readHangup = IOEvents(rawValue: 4)
    /// Both directions are shut.
    public static let hangup = IOEvents(rawValue: 16)
    /// An error is pending on the descriptor.
    public static let error = IOEvents(rawValue: 32)
}

/// Handles the events of a descriptor. The loop retains it as long as it is registered.
public protocol IOHandler: AnyObject {
    /// Handles events on the loop's thread. `events` is never empty and contains only what the
    /// registration is interested in at this moment, besides `hangup` and `error`.
    func ready(_ events: IOEvents, on reactor: Reactor)

    /// Handles the end of its registration on the loop's thread: the kernel refused a change of its
    /// interest, and the loop has logged that. No event comes any more. By default: nothing.
    func registrationFailed(_ error: SystemError, on reactor: Reactor)
}

extension IOHandler {
    /// Does nothing.
    public func registrationFailed(_ error: SystemError, on reactor: Reactor) {}
}

/// A descriptor that a loop watches: the events of interest, and their handler.
///
/// Created by `Reactor.register`, bound to the loop's thread. Cancel it before the descriptor is
/// closed: otherwise the next change of its interest fails (`registrationFailed`). It holds the descriptor's number only;
/// the handler owns the descriptor.
public final class Registration {
    // One per connection: no field that follows from another one, and no gap between them.
    fileprivate let token: UInt64
    private(set) var handler: (any IOHandler)?
    private var reactor: Reactor?
    /// Names the handler in logs: its index in the reactor's `labels`.
    let label: CallbackLabels.Index
    // Not public: exclusivity of public stored properties is checked at run time.
    private var wanted: IOInterest
    /// The interest that the kernel has.
    fileprivate var applied: IOInterest
    /// Is in the reactor's list of changes, which are applied before the next wait.
    fileprivate var isChanged = false

    fileprivate init(
        token: UInt64, interest: IOInterest, label: CallbackLabels.Index,
        handler: any IOHandler, reactor: Reactor
    ) {
        self.token = token
        wanted = interest
        applied = interest
        self.label = label
        self.handler = handler
        self.reactor = reactor
    }

    /// The descriptor's number.
    fileprivate var raw: Int32 { RegistrationTable.number(of: token) }

    /// The events that it observes; none after `cancel`.
    public var interest: IOInterest { wanted }

    /// True until `cancel`.
    public var isActive: Bool { handler != nil }

    /// Changes the interest. It holds at once for events that have been fetched already; the kernel
    /// gets the last of several changes, before the next wait, and only if it differs from what the
    /// kernel has. Without effect after `cancel`.
    public func setInterest(_ interest: IOInterest) {
        guard interest != wanted, let reactor else { return }
        wanted = interest
        if isChanged { return }
        isChanged = true
        unsafe reactor.changed.append(self)
    }

    /// Ends the registration: the handler gets no further event, not even one that has been fetched
    /// already, and the loop releases it. Again: without effect.
    public func cancel() {
        guard let reactor else { return }
        // The kernel first: releasing the handler may close the descriptor.
        reactor.forget(self)
        detach()
    }

    /// Releases the handler and the reactor.
    fileprivate func detach() {
        let last = disarm()
        withExtendedLifetime(last) {}
    }

    /// Ends this object's part, and returns its handler, moved out before the end of the handler:
    /// its deinit may call `cancel` here.
    fileprivate func disarm() -> (any IOHandler)? {
        wanted = []
        reactor = nil
        return handler.take()
    }
}

extension Reactor {
    /// Watches a descriptor. The registration retains `handler` until it is cancelled, which must
    /// happen before the descriptor is closed.
    ///
    /// - Parameter label: names the handler in logs of slow callbacks.
    /// - Throws: `SystemError` (EPERM: a plain file can't be watched; ENOSPC, ENOMEM).
    public func register(
        _ descriptor: borrowing FileDescriptor, interest: IOInterest, label: StaticString,
        handler: any IOHandler
    ) throws(SystemError) -> Registration {
        try register(number: descriptor.raw, interest, label, handler)
    }

    /// Watches a socket, as `register` does a descriptor.
    public func register(
        _ socket: borrowing Socket, interest: IOInterest, label: StaticString,
        handler: any IOHandler
    ) throws(SystemError) -> Registration {
        try register(number: socket.number, interest, label, handler)
    }

    private func register(
        number raw: Int32, _ interest: IOInterest, _ label: StaticString, _ handler: any IOHandler
    ) throws(SystemError) -> Registration {
        let token = unsafe table.makeToken(raw)
        try checkInjected(.add, label)
        try poller.add(raw, interest, token: token)
        let registration = Registration(
            token: token, interest: interest, label: labels.index(of: label), handler: handler,
            reactor: self)
        unsafe table.insert(registration)
        return registration
    }

    /// How many registrations there are, that of the loop's own wakeup included.
    public var registrationCount: Int { unsafe table.count }

    fileprivate func forget(_ registration: Registration) {
        do {
            try checkInjected(.remove, labels[registration.label])
            try poller.remove(registration.raw)
        } catch {
            // The descriptor was closed before, which ends the kernel's part as well.
            logFailure(error, labels[registration.label])
        }
        unsafe table.remove(registration)
    }

    /// The kernel's interest is unknown now, so the registration ends, and its handler is notified.
    private func lose(_ registration: Registration, _ error: SystemError) {
        logFailure(error, labels[registration.label])
        try? poller.remove(registration.raw)
        unsafe table.remove(registration)
        registration.disarm()?.registrationFailed(error, on: self)
    }

    private func logFailure(_ error: SystemError, _ label: StaticString) {
        loop.logger.error("an event loop can't watch a descriptor") {
            $0.add("loop", self.loop.name)
            $0.add("callback", label)
            $0.add("error", error)
        }
    }

    private func checkInjected(_ operation: PollerOperation, _ label: StaticString)
        throws(SystemError)
    {
        if let errno = injectedFailure?(operation, label) { throw SystemError("epoll_ctl", errno) }
    }

    /// Passes changed interests to the kernel: at most one system call per registration and tick.
    func applyInterestChanges() {
        if unsafe changed.isEmpty { return }
        unsafe swap(&changed, &changedSpare)
        for registration in changedSpare {
            registration.isChanged = false
            guard registration.isActive, registration.interest != registration.applied else {
                continue
            }
            registration.applied = registration.interest
            statistics.interestChanges &+= 1
            do {
                try checkInjected(.change, labels[registration.label])
                try poller.change(
                    registration.raw, registration.interest, token: registration.token)
            } catch {
                lose(registration, error)
            }
        }
        changedSpare.removeAll(keepingCapacity: true)
    }

    /// Ends all registrations and releases their handlers.
    func removeRegistrations() {
        for registration in unsafe table.removeAll() {
            try? poller.remove(registration.raw)
            registration.detach()
        }
        unsafe changed.removeAll()
    }
}

/// The loop's registrations by descriptor number. A token names one registration for ever: its
/// generation in the upper half, its number in the lower. So an event for an earlier owner of the
/// number reaches no handler.
struct RegistrationTable {
    private var slots: ContiguousArray<Registration?> = []
    private var generation: UInt32 = 0
    private(set) var count = 0

    /// Returns a token for `raw` that no registration has had.
    mutating func makeToken(_ raw: Int32) -> UInt64 {
        generation &+= 1
        return UInt64(generation) << 32 | UInt64(UInt32(bitPattern: raw))
    }

    /// The descriptor's number in a token.
    static func number(of token: UInt64) -> Int32 { Int32(truncatingIfNeeded: token) }

    /// The registration that the token names; nil once it has ended.
    subscript(token: UInt64) -> Registration? {
        let index = Int(token & 0xffff_ffff)
        guard index < slots.count, let found = slots[index], found.token == token else {
            return nil
        }
        return found
    }

    mutating func insert(_ registration: Registration) {
        let index = Int(registration.raw)
        while slots.count <= index { slots.append(nil) }
        precondition(slots[index] == nil, "a descriptor is registered once at a time")
        slots[index] = registration
        count += 1
    }

    mutating func remove(_ registration: Registration) {
        slots[Int(registration.raw)] = nil
        count -= 1
    }

    /// Empties the table and returns its registrations.
    mutating func removeAll() -> [Registration] {
        defer { self = RegistrationTable() }
        return slots.compactMap { $0 }
    }
}
