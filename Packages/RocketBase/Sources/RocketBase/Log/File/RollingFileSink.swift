public import RocketSystem

/// Writes lines to rolling files, one sequence of files per stream: `NAME_rpc_YYYYMMDD_log.N`. A
/// new file starts at local midnight and when the next line would exceed the size limit. Old files
/// are removed by count and by total size.
public final class RollingFileSink: LogSink {
    private let rpc: RollingFile
    private let app: RollingFile

    /// Opens the current files of both streams.
    ///
    /// - Parameters:
    ///   - now: the time whose local date the file names contain.
    ///   - maxLineBytes: the size of the longest line.
    /// - Throws: `SystemError` when the folder can't be created or a file can't be opened.
    public init(
        _ settings: LogConfiguration.File, now: WallTime, maxLineBytes: Int = 64 * 1024
    ) throws(SystemError) {
        let date = CivilDate(
            at: now, utcOffsetSeconds: LocalTime.utcOffsetSeconds(at: now))
        rpc = try RollingFile(settings, stream: .rpc, date: date, maxLineBytes: maxLineBytes)
        app = try RollingFile(settings, stream: .app, date: date, maxLineBytes: maxLineBytes)
    }

    private func file(of stream: LogStream) -> RollingFile { stream == .rpc ? rpc : app }

    /// Puts the line into the buffer of its stream's file.
    public func write(_ event: borrowing LogEvent) { file(of: event.stream).append(event) }

    /// Writes the buffers. Both streams usually share a disk, so one notice covers both.
    public func endBatch() -> LogSinkNotice? {
        let notices = (rpc.endBatch(), app.endBatch())
        return notices.0 ?? notices.1
    }

    /// Opens both files again by their names.
    public func reopen() {
        rpc.reopen()
        app.reopen()
    }

    /// Returns the open file of the stream.
    public func crashOutput(for stream: LogStream) -> (descriptor: Int32, style: LogLineStyle)? {
        file(of: stream).descriptor.map { ($0, .plain) }
    }

    /// The number of lines of both streams that could not be written.
    public var lostLines: UInt64 { rpc.health.lostLines + app.health.lostLines }
}
