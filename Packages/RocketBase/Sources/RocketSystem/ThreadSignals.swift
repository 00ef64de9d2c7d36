import CRocketSystem

/// Which signals the calling thread takes.
public enum ThreadSignals {
    /// None but those of crashes, which no thread can leave to others: handlers of SIGTERM and its
    /// like never run in it, and a write past a file-size limit fails with EFBIG and does not end
    /// the process with SIGXFSZ.
    public static func blockAllButCrashes() { rocket_block_signals() }
}
