import CRocketSystem
import Glibc

/// The signals that a service or a program in a terminal handles.
public enum Signal: Int32, CaseIterable, Hashable, Sendable {
    /// SIGHUP: by convention, reopen log files and reload the configuration.
    case hangUp = 1
    /// SIGINT: Ctrl-C.
    case interrupt = 2
    /// SIGQUIT: Ctrl-\.
    case quit = 3
    /// SIGUSR1: free for the service.
    case user1 = 10
    /// SIGUSR2: free for the service.
    case user2 = 12
    /// SIGTERM: stop.
    case terminate = 15
    /// SIGCONT: the process was continued, or was running.
    case resume = 18
    /// SIGTSTP: stop until SIGCONT, Ctrl-Z.
    case terminalStop = 20
    /// SIGTTIN: a process in the background has read from its terminal.
    case backgroundRead = 21
    /// SIGWINCH: the size of the terminal has changed.
    case windowChange = 28

    /// `SIGTERM` and the like.
    public var name: String {
        switch self {
        case .hangUp: "SIGHUP"
        case .interrupt: "SIGINT"
        case .quit: "SIGQUIT"
        case .user1: "SIGUSR1"
        case .user2: "SIGUSR2"
        case .terminate: "SIGTERM"
        case .resume: "SIGCONT"
        case .terminalStop: "SIGTSTP"
        case .backgroundRead: "SIGTTIN"
        case .windowChange: "SIGWINCH"
        }
    }
}

/// The signal masks and dispositions of the process.
public enum Signals {
    /// Blocks `signals` in the calling thread and in all threads that it starts later, so that a
    /// `SignalDescriptor` receives them, and ignores SIGPIPE. Call it first in `main`, before any
    /// thread or task exists: a signal that one thread does not block ends the process.
    public static func block(_ signals: [Signal] = [.terminate, .interrupt, .hangUp, .user1]) {
        let result = rocket_signals_block(mask(signals))
        precondition(result == 0, "a set of signals can be blocked")
        rocket_ignore_sigpipe()
    }

    /// Ignores SIGPIPE in the whole process: a write to a closed pipe fails with EPIPE.
    public static func ignoreBrokenPipes() { rocket_ignore_sigpipe() }

    /// Calls `receive` for each of `signals` from now on, on a thread of its own that nothing else
    /// can block. Replaces their handlers; call it once per process.
    ///
    /// - Throws: `SystemError` (EMFILE, EAGAIN: no more threads; EBUSY: called before).
    public static func listen(
        for signals: [Signal], _ receive: @escaping @Sendable (Signal) -> Void
    ) throws(SystemError) {
        let mask = mask(signals)
        let raw = rocket_signals_listen(mask)
        guard raw >= 0 else { throw SystemError("signal handlers", .current) }
        let thread = try SystemThread(name: "rocket-signals") {
            rocket_signals_unblock(mask)
            while true {
                let number = rocket_signals_next(raw)
                if let signal = Signal(rawValue: number) { receive(signal) }
            }
        }
        thread.detach()
    }

    /// Ends the process at once by the default action of `signal`, so that its parent sees the
    /// signal as the cause. Nothing is written or closed.
    public static func endProcess(by signal: Signal) -> Never {
        performDefault(signal)
        _exit(128 + signal.rawValue)
    }

    /// Returns whether the calling thread blocks all of `signals`.
    public static func areBlocked(_ signals: [Signal]) -> Bool {
        rocket_signals_blocked() & mask(signals) == mask(signals)
    }

    /// Sends a signal to the calling thread (raise(3)).
    public static func raise(_ signal: Signal) { _ = Glibc.raise(signal.rawValue) }

    /// Restores the default disposition of SIGPIPE, which ends the process: for tests that prove
    /// that no code raises it.
    @_spi(TestKit) public static func restoreDefaultSIGPIPE() { rocket_default_sigpipe() }

    static func mask(_ signals: [Signal]) -> UInt64 {
        signals.reduce(0) { $0 | 1 << UInt64($1.rawValue - 1) }
    }
}

/// A signalfd(2): reads blocked signals from a descriptor.
public struct SignalDescriptor: ~Copyable, Sendable {
    /// The descriptor to register with a poller for reading.
    public let descriptor: FileDescriptor

    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM).
    public init(_ signals: [Signal]) throws(SystemError) {
        let raw = rocket_signalfd(Signals.mask(signals))
        guard raw >= 0 else { throw SystemError("signalfd", .current) }
        descriptor = FileDescriptor(owning: raw)
    }

    /// Returns the next pending signal; `wouldBlock` when there is none.
    public func next() -> IOResult<Signal> {
        let number = rocket_signalfd_read(descriptor.raw)
        precondition(number >= 0, "a signalfd can be read")
        return Signal(rawValue: number).map { .done($0) } ?? .wouldBlock
    }
}

/// The signal mask of the calling thread.
public enum ThreadSignals {
    /// Blocks all signals but those of crashes, which the thread that causes one always receives.
    /// Handlers of SIGTERM and similar never run in the thread, and a write beyond a file size
    /// limit fails with EFBIG instead of ending the process with SIGXFSZ.
    public static func blockAllButCrashes() { rocket_block_signals() }

    /// Runs `body` with SIGPIPE and SIGXFSZ blocked in the calling thread: writes to a closed pipe
    /// or beyond a file size limit fail with EPIPE or EFBIG.
    public static func withoutWriteSignals<R>(_ body: () -> R) -> R {
        let blocked = rocket_block_write_signals()
        defer { rocket_restore_write_signals(blocked) }
        return body()
    }
}
