import CSystemd
public import RocketBase
public import RocketSystem

/// Lines in the systemd journal, as native fields through libsystemd: MESSAGE, PRIORITY, CODE_FILE,
/// CODE_LINE, CODE_FUNC, TID, ROCKET_STREAM, ROCKET_TIME_US, MSG_ID, RPC_METHOD, PEER, and each key
/// of the line in upper case. Large lines go too (libsystemd passes them in a memory file).
///
/// Where no journal runs at all libsystemd takes lines and says nothing, so ask `isAvailable`
/// first; where it refuses them they are counted as lost. In a crash lines go to standard error with systemd's `<N>`.
public final class JournalSink: LogSink {
    private var fields = JournalFields()
    private var health = LogSinkHealth()

    /// Whether a journal listens on this machine (or in this container).
    public static var isAvailable: Bool { FileSystem.exists("/run/systemd/journal/socket") }

    /// Opens nothing: libsystemd connects with the first line.
    public init() {}

    /// Sends one line. The writer's thread.
    public func write(_ event: borrowing LogEvent) {
        fields.fill(from: event)
        let result = unsafe fields.bytes.withUnsafeBytes { bytes in
            let vectors = unsafe fields.entries.map { entry in
                // SAFETY: the entries lie within `bytes`; libsystemd only reads them.
                unsafe iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress)
                        .map { unsafe $0 + entry.lowerBound },
                    iov_len: entry.count)
            }
            return unsafe vectors.withUnsafeBufferPointer {
                unsafe sd_journal_sendv($0.baseAddress, Int32($0.count))
            }
        }
        guard result < 0 else { return health.succeed() }
        health.fail(SystemError("sd_journal_sendv", Errno(rawValue: -result)))
        health.lose(1)
    }

    /// Lines are sent one by one: nothing is left to do.
    public func endBatch() -> LogSinkNotice? { health.takeNotice() }

    /// Lines that the journal did not take.
    public var lostLines: UInt64 { health.lostLines }
}

extension LogSystem {
    /// A log system that knows the journal: outputs `journal` and `auto` can be had. Where no
    /// journal runs its lines go to the console, as those of `LogSystem.init` without a sink.
    ///
    /// - Throws: as `LogSystem.init`.
    public convenience init(
        withJournal configuration: LogConfiguration,
        time: any TimeSource = SystemTimeSource()
    ) throws(SystemError) {
        let journal: (() -> any LogSink)? = JournalSink.isAvailable ? { JournalSink() } : nil
        try self.init(configuration, time: time, journal: journal)
    }
}
