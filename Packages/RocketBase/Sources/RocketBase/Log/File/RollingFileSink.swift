public import RocketSystem

/// Lines in files, one row of files for each stream: `NAME_rpc_YYYYMMDD_log.N`. A new file begins
/// at local midnight and when the next line would pass the size limit; old ones are removed by
/// count and by size.
public final class RollingFileSink: LogSink {
    private let rpc: RollingFile
    private let app: RollingFile

    /// Opens the day's files of both streams.
    ///
    /// - Parameters:
    ///   - now: the time whose local day the files belong to.
    ///   - maxLineBytes: the longest line that will come.
    /// - Throws: `SystemError` when the folder can't be made or written.
    public init(
        _ settings: LogConfiguration.File, now: WallTime, maxLineBytes: Int = 64 * 1024
    ) throws(SystemError) {
        let date = CivilDate(
            at: now, utcOffsetSeconds: LocalTime.utcOffsetSeconds(at: now))
        rpc = try RollingFile(settings, stream: .rpc, date: date, maxLineBytes: maxLineBytes)
        app = try RollingFile(settings, stream: .app, date: date, maxLineBytes: maxLineBytes)
    }

    private func file(of stream: LogStream) -> RollingFile { stream == .rpc ? rpc : app }

    /// Into its stream's file.
    public func write(_ event: borrowing LogEvent) { file(of: event.stream).append(event) }

    /// Both streams share a disk as a rule: one notice speaks for both.
    public func endBatch() -> LogSinkNotice? {
        let notices = (rpc.endBatch(), app.endBatch())
        return notices.0 ?? notices.1
    }

    /// Opens what stands under the files' names now.
    public func reopen() {
        rpc.reopen()
        app.reopen()
    }

    /// The stream's open file.
    public func crashOutput(for stream: LogStream) -> (descriptor: Int32, style: LogLineStyle)? {
        file(of: stream).descriptor.map { ($0, .plain) }
    }

    /// Of both streams.
    public var lostLines: UInt64 { rpc.health.lostLines + app.health.lostLines }
}
