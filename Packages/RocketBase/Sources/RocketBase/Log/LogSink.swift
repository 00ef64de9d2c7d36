public import RocketSystem

/// A destination of log lines: files, the console, the journal.
///
/// A sink belongs to one `LogSystem`, whose writer makes one call at a time. A call may block. It
/// never throws: the sink counts the lines that it can't write and reports the change of its health
/// in `endBatch`.
public protocol LogSink: AnyObject {
    /// Whether lines at INFO or above are to reach the sink within 50 ms, whatever the sync interval.
    /// Lines below INFO keep to it, so that many of them cost no wake-up of the writer's thread.
    var isPrompt: Bool { get }
    /// Receives one line. `event` is valid only during the call.
    func write(_ event: borrowing LogEvent)
    /// Writes out all lines received so far; lines that can't be written now are lost.
    ///
    /// - Returns: a change of the sink's health, once per change.
    func endBatch() -> LogSinkNotice?
    /// Opens files again by their names, because they may have been renamed.
    func reopen()
    /// Returns the descriptor that a crash handler may write lines of this stream to, and their
    /// style; nil when there is none.
    func crashOutput(for stream: LogStream) -> (descriptor: Int32, style: LogLineStyle)?
    /// The number of lines that could not be written so far.
    var lostLines: UInt64 { get }
}

extension LogSink {
    /// False: for sinks that nobody watches, such as files.
    public var isPrompt: Bool { false }
    /// Does nothing: for sinks without files.
    public func reopen() {}
    /// Returns nil: for sinks without a descriptor.
    public func crashOutput(for stream: LogStream) -> (descriptor: Int32, style: LogLineStyle)? {
        nil
    }
}

/// A change of a sink's health.
public enum LogSinkNotice: Sendable, Equatable {
    /// A write failed; lines are lost from now on.
    case failing(SystemError)
    /// A write succeeded again; `lostLines` lines were lost since the failure.
    case recovered(lostLines: UInt64)
}

/// The format of a line of text.
public enum LogLineStyle: UInt32, Sendable {
    /// Text only.
    case plain
    /// With the level in colour (ANSI), for terminals.
    case colour
    /// With the `<N>` prefix of systemd, N being the syslog priority.
    case priority
}

/// The health of a sink as a value: records successes, failures and lost lines, and reports each
/// change once.
public struct LogSinkHealth: Sendable {
    private var error: SystemError?
    private var lostBeforeFailure: UInt64 = 0
    private var notice: LogSinkNotice?
    /// The number of lines lost so far.
    public private(set) var lostLines: UInt64 = 0

    /// A healthy sink.
    public init() {}

    /// Records lines that could not be written.
    public mutating func recordLoss(of lines: Int) { lostLines += UInt64(lines) }

    /// Records a failed write.
    public mutating func recordFailure(_ error: SystemError) {
        if self.error == nil {
            lostBeforeFailure = lostLines
            notice = .failing(error)
        }
        self.error = error
    }

    /// Records a successful write.
    public mutating func recordSuccess() {
        guard error != nil else { return }
        error = nil
        notice = .recovered(lostLines: lostLines - lostBeforeFailure)
    }

    /// Returns the change since the last call; nil when there was none.
    public mutating func takeNotice() -> LogSinkNotice? {
        defer { notice = nil }
        return notice
    }
}
