public import RocketSystem

/// Where lines end up: a file, the console, the journal. A sink belongs to one `LogSystem`, whose
/// writer calls it, one call at a time; it may block, and it never throws: what it can't write it
/// counts, and reports in `endBatch`.
public protocol LogSink: AnyObject {
    /// Takes one line. `event` is valid only during the call.
    func write(_ event: borrowing LogEvent)
    /// Everything taken has to be out now, or is lost. Returns what changed, once per change.
    func endBatch() -> LogSinkNotice?
    /// Files may have been renamed: open them again.
    func reopen()
    /// The descriptor that text lines of this stream may be written to in a crash, and their
    /// style; nil when there is none.
    func crashOutput(for stream: LogStream) -> (descriptor: Int32, style: LogLineStyle)?
    /// Lines that could not be written so far.
    var lostLines: UInt64 { get }
}

extension LogSink {
    /// Nothing to open again.
    public func reopen() {}
    /// No place for text.
    public func crashOutput(for stream: LogStream) -> (descriptor: Int32, style: LogLineStyle)? {
        nil
    }
}

/// A change in a sink's health.
public enum LogSinkNotice: Sendable, Equatable {
    /// Lines are being lost from now on.
    case failing(SystemError)
    /// Lines are written again; so many were lost.
    case recovered(lostLines: UInt64)
}

/// How a line of text is dressed.
public enum LogLineStyle: UInt32, Sendable {
    case plain
    /// The level in colour, for terminals.
    case colour
    /// With systemd's `<N>` in front.
    case priority
}
