import CRocketSystem
import Glibc

/// One epoll(7) instance: a thin owner of its descriptor, with the kernel's own masks and numbers.
/// What they mean to a loop is known to the reactor's `Poller` only.
public struct EpollInstance: ~Copyable {
    private let descriptor: FileDescriptor

    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM).
    public init() throws(SystemError) {
        let raw = rocket_epoll_create()
        guard raw >= 0 else { throw SystemError("epoll_create1", .current) }
        descriptor = FileDescriptor(owning: raw)
    }

    /// EPOLL_CTL_ADD. - Throws: `SystemError` (EPERM: a plain file; EEXIST; ENOSPC; ENOMEM).
    public func add(_ raw: Int32, mask: UInt32, data: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_ADD, raw, mask, data)
    }

    /// EPOLL_CTL_MOD. - Throws: `SystemError` (ENOENT, EBADF: the descriptor is not registered).
    public func modify(_ raw: Int32, mask: UInt32, data: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_MOD, raw, mask, data)
    }

    /// EPOLL_CTL_DEL. - Throws: `SystemError` as `modify`.
    public func remove(_ raw: Int32) throws(SystemError) {
        try control(EPOLL_CTL_DEL, raw, 0, 0)
    }

    /// Waits for events, at most `nanoseconds` (0: not at all; negative: for ever), and puts them
    /// into `list`. A signal handler that interrupts counts as no events.
    public func wait(into list: borrowing EpollEventList, nanoseconds: Int64) -> Int {
        // SAFETY: the list owns room for `capacity` events as long as it is borrowed.
        let count = unsafe rocket_epoll_wait(
            descriptor.raw, list.events, Int32(list.capacity), nanoseconds)
        if count >= 0 { return Int(count) }
        // EBADF, EFAULT and EINVAL can only come from this file.
        precondition(errno == EINTR, "epoll_wait is given a valid instance and list")
        return 0
    }

    private func control(
        _ operation: Int32, _ raw: Int32, _ mask: UInt32, _ data: UInt64
    ) throws(SystemError) {
        guard rocket_epoll_control(descriptor.raw, operation, raw, mask, data) != 0 else { return }
        throw SystemError("epoll_ctl", .current)
    }
}

/// Owns room for the events of one wait.
@safe
public struct EpollEventList: ~Copyable {
    /// The most events that one wait brings.
    public let capacity: Int
    // SAFETY: allocated in init, freed in deinit, never handed out.
    fileprivate let events: UnsafeMutablePointer<epoll_event>

    /// Room for `capacity` events, at least 1.
    public init(capacity: Int) {
        precondition(capacity > 0, "an event list has room for one event")
        self.capacity = capacity
        unsafe events = .allocate(capacity: capacity)
        unsafe events.initialize(repeating: epoll_event(), count: capacity)
    }

    deinit { unsafe events.deallocate() }

    /// The mask and the user data of event `index` of the last wait.
    public subscript(index: Int) -> (mask: UInt32, data: UInt64) {
        precondition(index >= 0 && index < capacity, "an event's index is within its list")
        // SAFETY: the index is checked, and all events are initialised.
        return unsafe (events[index].events, events[index].data.u64)
    }
}
