import RocketSystem

/// Writes lines to standard error: in colour on a terminal, with the `<N>` prefix of systemd when
/// the journal reads them, otherwise as plain text. A reader that accepts nothing for 100 ms loses
/// lines, and until it has accepted a whole batch again nothing waits for it; log calls are not
/// blocked.
public final class ConsoleSink: LogSink {
    private let descriptor: Int32
    private let output: SharedOutput
    private let style: LogLineStyle
    private var buffer: TextBuffer
    private var notice: LogSinkNotice?
    private var isFailing = false
    private var lostBefore: UInt64 = 0
    /// The number of lines that the reader did not accept.
    public private(set) var lostLines: UInt64 = 0

    /// Writes to standard error, in the style for its kind.
    ///
    /// - Parameter besideJournal: whether another sink passes the lines to the journal; they then
    ///   get no priority prefix here.
    public convenience init(besideJournal: Bool = false) {
        let hasPrefix = StandardStream.errorIsJournal && !besideJournal
        self.init(
            descriptor: StandardStream.error,
            style: StandardStream.errorIsTerminal ? .colour : hasPrefix ? .priority : .plain)
    }

    /// - Parameter descriptor: must stay open as long as the sink, which does not close it.
    public init(descriptor: Int32, style: LogLineStyle) {
        self.descriptor = descriptor
        output = SharedOutput(descriptor)
        self.style = style
        buffer = TextBuffer(maxLineBytes: 64 * 1024)
    }

    /// Someone may watch the console, and the journal may read it.
    public var isPrompt: Bool { true }

    /// Puts the line into the buffer.
    public func write(_ event: borrowing LogEvent) {
        if !buffer.hasRoom(for: event) { notice = writeOut() ?? notice }
        guard buffer.hasRoom(for: event) else {
            lostLines += 1
            return
        }
        _ = buffer.append(event, style)
    }

    /// Writes the buffer to the descriptor.
    public func endBatch() -> LogSinkNotice? {
        let notice = writeOut() ?? notice
        self.notice = nil
        return notice
    }

    private func writeOut() -> LogSinkNotice? {
        guard buffer.count > 0 else { return nil }
        let (error, lost) = unsafe buffer.withBytes { bytes in
            let (written, error) = unsafe output.write(
                bytes, waitingAtMost: isFailing ? .zero : .milliseconds(100))
            return (error, unsafe UnsafeRawBufferPointer(rebasing: bytes[written...]).lines.count)
        }
        buffer.keepLast()
        lostLines += UInt64(lost)
        if let error {
            if isFailing { return nil }
            isFailing = true
            lostBefore = lostLines - UInt64(lost)
            return .failing(error)
        }
        guard isFailing else { return nil }
        isFailing = false
        return .recovered(lostLines: lostLines - lostBefore)
    }

    /// Returns the descriptor and the style of the sink.
    public func crashOutput(for stream: LogStream) -> (descriptor: Int32, style: LogLineStyle)? {
        (descriptor, style)
    }
}
