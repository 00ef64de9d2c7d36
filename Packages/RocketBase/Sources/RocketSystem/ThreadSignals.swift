import CRocketSystem

/// Which signals the calling thread takes.
public enum ThreadSignals {
    /// None but those of crashes, which no thread can leave to others: handlers of SIGTERM and its
    /// like never run in it, and a write past a file-size limit fails with EFBIG and does not end
    /// the process with SIGXFSZ.
    public static func blockAllButCrashes() { rocket_block_signals() }

    /// Runs `body` with SIGPIPE and SIGXFSZ held off the calling thread: writes to a closed pipe or
    /// past a file-size limit fail with EPIPE or EFBIG.
    public static func withoutWriteSignals<R>(_ body: () -> R) -> R {
        let held = rocket_hold_write_signals()
        defer { rocket_allow_write_signals(held) }
        return body()
    }
}
