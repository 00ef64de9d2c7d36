import CRocketSystem
import Glibc

/// An eventfd(2) that only wakes: any thread signals, the poller that watches it edge-triggered
/// sees each signal as an event. It is never read, so a wakeup costs one system call and not two.
public struct EventDescriptor: ~Copyable, Sendable {
    /// To be registered with a poller, edge-triggered.
    public let descriptor: FileDescriptor

    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM).
    public init() throws(SystemError) {
        let raw = rocket_eventfd()
        guard raw >= 0 else { throw SystemError("eventfd", .current) }
        descriptor = FileDescriptor(owning: raw)
    }

    /// Any thread.
    public func signal() {
        var one: UInt64 = 1
        // SAFETY: writes the 8 bytes of `one`. It can't fail short of 2^64 signals.
        let written = unsafe write(descriptor.raw, &one, 8)
        precondition(written == 8, "an eventfd takes a signal")
    }
}
