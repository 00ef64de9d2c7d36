import CRocketSystem
import Glibc

/// The signals that a service acts on.
public enum Signal: Int32, CaseIterable, Hashable, Sendable {
    /// SIGHUP: by custom, reopen and reload.
    case hangUp = 1
    /// SIGINT: Ctrl-C.
    case interrupt = 2
    /// SIGUSR1: free for the service.
    case user1 = 10
    /// SIGUSR2: free for the service.
    case user2 = 12
    /// SIGTERM: please stop.
    case terminate = 15
}

/// The process' signal masks.
public enum Signals {
    /// Blocks `signals` in the calling thread and in all that it starts later, so that they wait
    /// for a `SignalDescriptor`, and ignores SIGPIPE. Call it first in `main`, before any thread
    /// or task exists: a thread that does not block them is killed by them.
    public static func block(_ signals: [Signal] = [.terminate, .interrupt, .hangUp, .user1]) {
        let result = rocket_signals_block(mask(signals))
        precondition(result == 0, "a signal set can be blocked")
        rocket_ignore_sigpipe()
    }

    /// True when the calling thread blocks all of `signals`.
    public static func areBlocked(_ signals: [Signal]) -> Bool {
        rocket_signals_blocked() & mask(signals) == mask(signals)
    }

    /// Sends a signal to the calling thread (raise(3)).
    public static func raise(_ signal: Signal) { _ = Glibc.raise(signal.rawValue) }

    /// SIGPIPE ends the process, as when nobody cares: for tests that show that nothing raises it.
    @_spi(TestKit) public static func letBrokenPipesKill() { rocket_default_sigpipe() }

    static func mask(_ signals: [Signal]) -> UInt64 {
        signals.reduce(0) { $0 | 1 << UInt64($1.rawValue - 1) }
    }
}

/// A signalfd(2): blocked signals as something to read.
public struct SignalDescriptor: ~Copyable {
    /// To be registered with a poller for reading.
    public let descriptor: FileDescriptor

    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM).
    public init(_ signals: [Signal]) throws(SystemError) {
        let raw = rocket_signalfd(Signals.mask(signals))
        guard raw >= 0 else { throw SystemError("signalfd", .current) }
        descriptor = FileDescriptor(owning: raw)
    }

    /// The next signal that has arrived; `wouldBlock` when there is none.
    public func next() -> IOResult<Signal> {
        let number = rocket_signalfd_read(descriptor.raw)
        precondition(number >= 0, "a signalfd can be read")
        return Signal(rawValue: number).map { .done($0) } ?? .wouldBlock
    }
}
