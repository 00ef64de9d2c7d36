import CRocketSystem
import Glibc

/// One epoll(7) instance: owns its descriptor and passes the kernel's masks and data unchanged.
/// Their interpretation belongs to `Poller` of the reactor.
public struct EpollInstance: ~Copyable {
    private let descriptor: FileDescriptor

    /// Creates an instance that is closed on exec.
    ///
    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM).
    public init() throws(SystemError) {
        let raw = rocket_epoll_create()
        guard raw >= 0 else { throw SystemError("epoll_create1", .current) }
        descriptor = FileDescriptor(owning: raw)
    }

    /// Registers a descriptor (EPOLL_CTL_ADD).
    ///
    /// - Throws: `SystemError` (EPERM: a regular file; EEXIST; ENOSPC; ENOMEM).
    public func add(_ raw: Int32, mask: UInt32, data: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_ADD, raw, mask, data)
    }

    /// Changes mask and data of a registered descriptor (EPOLL_CTL_MOD).
    ///
    /// - Throws: `SystemError` (ENOENT, EBADF: the descriptor is not registered).
    public func modify(_ raw: Int32, mask: UInt32, data: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_MOD, raw, mask, data)
    }

    /// Removes a registered descriptor (EPOLL_CTL_DEL).
    ///
    /// - Throws: `SystemError`, as `modify`.
    public func remove(_ raw: Int32) throws(SystemError) {
        try control(EPOLL_CTL_DEL, raw, 0, 0)
    }

    /// Waits for events and stores them in `list`.
    ///
    /// - Parameter nanoseconds: the longest time to wait; 0 polls, a negative value has no limit.
    /// - Returns: the number of events; 0 also when a signal handler interrupted the wait.
    public func wait(into list: borrowing EpollEventList, nanoseconds: Int64) -> Int {
        // SAFETY: the list owns room for `capacity` events as long as it is borrowed.
        let count = unsafe rocket_epoll_wait(
            descriptor.raw, list.events, Int32(list.capacity), nanoseconds)
        if count >= 0 { return Int(count) }
        let error = Errno.current
        // EBADF, EFAULT and EINVAL would be an error of this file.
        precondition(error.isInterrupted, "epoll_wait needs a valid instance and list")
        return 0
    }

    private func control(
        _ operation: Int32, _ raw: Int32, _ mask: UInt32, _ data: UInt64
    ) throws(SystemError) {
        guard rocket_epoll_control(descriptor.raw, operation, raw, mask, data) != 0 else { return }
        throw SystemError("epoll_ctl", .current)
    }
}

/// Owns the memory for the events of one wait.
@safe
public struct EpollEventList: ~Copyable {
    /// The largest number of events that one wait returns.
    public let capacity: Int
    // SAFETY: allocated in init, freed in deinit, never exposed.
    fileprivate let events: UnsafeMutablePointer<epoll_event>

    /// - Parameter capacity: the number of events, at least 1.
    public init(capacity: Int) {
        precondition(capacity > 0, "an event list has room for at least one event")
        self.capacity = capacity
        unsafe events = .allocate(capacity: capacity)
        unsafe events.initialize(repeating: epoll_event(), count: capacity)
    }

    deinit { unsafe events.deallocate() }

    /// The mask and the user data of event `index` of the last wait.
    public subscript(index: Int) -> (mask: UInt32, data: UInt64) {
        precondition(index >= 0 && index < capacity, "an event index is within its list")
        // SAFETY: the index is checked, and all events are initialised.
        return unsafe (events[index].events, events[index].data.u64)
    }
}

/// An eventfd(2) that wakes a poller: any thread signals, and a poller that watches it
/// edge-triggered gets an event for each signal. The counter is never read, so a wake-up costs one
/// system call instead of two.
public struct EventDescriptor: ~Copyable, Sendable {
    /// The descriptor to register with a poller, edge-triggered.
    public let descriptor: FileDescriptor

    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM).
    public init() throws(SystemError) {
        let raw = rocket_eventfd()
        guard raw >= 0 else { throw SystemError("eventfd", .current) }
        descriptor = FileDescriptor(owning: raw)
    }

    /// Causes one event in the poller that watches the descriptor. Any thread.
    public func signal() {
        var one: UInt64 = 1
        // SAFETY: writes the 8 bytes of `one`. It fails only after 2^64 signals.
        let written = unsafe write(descriptor.raw, &one, 8)
        precondition(written == 8, "an eventfd accepts a signal")
    }
}
