import CSystemd
public import RocketBase
public import RocketSystem

/// Writes lines to the systemd journal with libsystemd, as native fields: MESSAGE, PRIORITY,
/// CODE_FILE, CODE_LINE, CODE_FUNC, TID, ROCKET_STREAM, ROCKET_TIME_US, MSG_ID, RPC_METHOD, PEER,
/// and each key of the line in upper case, with the prefix `FIELD_` if the journal gives the name
/// another meaning. MESSAGE repeats the fields as `key=value`. libsystemd passes large lines in a
/// memory file.
///
/// When no journal runs, libsystemd discards lines without an error, so check `isAvailable` first.
/// Lines that the journal rejects are counted as lost. After a crash buffered lines go to standard
/// error, with the `<N>` prefix of systemd.
public final class JournalSink: LogSink {
    private var fields = JournalFields()
    private var health = LogSinkHealth()

    /// Whether a journal runs on this machine (or in this container).
    public static var isAvailable: Bool { FileSystem.exists("/run/systemd/journal/socket") }

    /// Lines at INFO or above are in the journal within 50 ms.
    public var isPrompt: Bool { true }

    /// Opens nothing: libsystemd connects when the first line is sent.
    public init() {}

    /// Sends one line.
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
        guard result < 0 else { return health.recordSuccess() }
        health.recordFailure(SystemError("sd_journal_sendv", Errno(rawValue: -result)))
        health.recordLoss(of: 1)
    }

    /// Returns the change of the sink's health. Lines were sent by `write` already.
    public func endBatch() -> LogSinkNotice? { health.takeNotice() }

    /// The number of lines that the journal rejected.
    public var lostLines: UInt64 { health.lostLines }
}

extension LogSystem {
    /// Creates a log system that supports the outputs `journal` and `auto`. When no journal runs,
    /// the lines for it go to the console.
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
