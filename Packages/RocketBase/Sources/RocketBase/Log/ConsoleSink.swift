import RocketSystem

/// Lines on standard error: in colour on a terminal, with systemd's `<N>` where the journal reads
/// it, plain otherwise. A reader that takes nothing for 100 ms costs lines, and blocks no caller.
public final class ConsoleSink: LogSink {
    private let descriptor: Int32
    private let style: LogLineStyle
    private var buffer: TextBuffer
    private var isFailing = false
    private var lostBefore: UInt64 = 0
    /// Lines that the reader did not take.
    public private(set) var lostLines: UInt64 = 0

    /// Writes to standard error in the style that fits it.
    ///
    /// - Parameter besideJournal: whether the journal gets the lines by itself too.
    public convenience init(besideJournal: Bool = false) {
        let marks = StandardStream.errorIsJournal && !besideJournal
        self.init(
            descriptor: StandardStream.error,
            style: StandardStream.errorIsTerminal ? .colour : marks ? .priority : .plain)
    }

    /// - Parameter descriptor: stays open as long as the sink; not closed by it.
    public init(descriptor: Int32, style: LogLineStyle) {
        self.descriptor = descriptor
        self.style = style
        buffer = TextBuffer(maxLineBytes: 64 * 1024)
    }

    /// Into the buffer.
    public func write(_ event: borrowing LogEvent) {
        if !buffer.hasRoom(for: event) { notice = writeOut() ?? notice }
        guard buffer.hasRoom(for: event) else {
            lostLines += 1
            return
        }
        _ = buffer.append(event, style)
    }

    private var notice: LogSinkNotice?

    /// Writes the buffer out.
    public func endBatch() -> LogSinkNotice? {
        let notice = writeOut() ?? notice
        self.notice = nil
        return notice
    }

    private func writeOut() -> LogSinkNotice? {
        guard buffer.count > 0 else { return nil }
        let (error, lost) = unsafe buffer.withBytes { bytes in
            let (written, error) = unsafe RawWrite.all(
                bytes, to: descriptor, waitingAtMost: .milliseconds(100))
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

    /// Standard error, or what was given.
    public func crashOutput(for stream: LogStream) -> (descriptor: Int32, style: LogLineStyle)? {
        (descriptor, style)
    }
}
