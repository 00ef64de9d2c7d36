import RocketSystem
public import Synchronization

/// Writes the log lines of one part of a program: a small value that is passed on by wiring and is
/// cheap to copy.
///
/// Take one from a `LogSystem` (`logs.rpc`, `logs.app`), or `RocketLogger.disabled`. Any thread. A
/// call does not block: it puts the line into a bounded buffer that the thread of the log system
/// drains. A line whose level is off costs one load and one comparison; its text and its fields are
/// not evaluated.
///
/// ```swift
/// logger.info("connection accepted") { $0.add("fd", fd); $0.add("peer", peer) }
/// ```
public struct RocketLogger: Sendable {
    @usableFromInline let filter: LevelFilter

    init(filter: LevelFilter) { self.filter = filter }

    /// A logger that discards all lines.
    public static let disabled = RocketLogger(
        filter: LevelFilter(stream: .app, threshold: LevelFilter.off, writer: nil))

    /// Returns whether a line of this level would be written now.
    @inlinable @inline(__always)
    public func isEnabled(_ level: LogLevel) -> Bool {
        level.rawValue >= filter.threshold.load(ordering: .relaxed)
    }

    /// The stream that the lines belong to.
    public var stream: LogStream { filter.stream }

    /// Blocks until the sinks have received all lines written before the call. It waits for the
    /// disk, so it must not be called on an event loop.
    public func flush() { filter.writer?.flush() }

    /// Writes all buffered lines and shuts down the log system of this logger, as
    /// `LogSystem.shutdown()` does.
    public func shutdown() { filter.writer?.shutdown() }
}

// MARK: - Writing

extension RocketLogger {
    /// The size of a line that is built on the caller's stack. Most lines fit; longer ones are
    /// moved to the heap.
    private static var stackBytes: Int { 1024 }

    /// Writes a line whose level is only known at run time.
    @inlinable
    public func log<Text: StringProtocol>(
        _ level: LogLevel, _ message: @autoclosure () -> Text, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(level) else { return }
        write(
            level, String(message()), SourceLocation(file: file, line: line, function: function),
            fields)
    }

    @usableFromInline @inline(never)
    func write(
        _ level: LogLevel, _ message: StaticString, _ location: SourceLocation,
        _ fields: (inout LogFields) -> Void
    ) {
        guard let writer = filter.writer else { return }
        // SAFETY: the temporary memory outlives `line`, which is destroyed when the closure ends.
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.stackBytes, alignment: 8) {
            var line = unsafe LogFields(in: $0, limit: writer.maxLineBytes)
            line.start(level, filter.stream, at: writer.time.wall(), location)
            line.setMessage(message)
            line.setContext(CallContext.current)
            fields(&line)
            writer.submit(&line, level, filter.stream)
        }
    }

    @usableFromInline @inline(never)
    func write(
        _ level: LogLevel, _ message: String, _ location: SourceLocation,
        _ fields: (inout LogFields) -> Void
    ) {
        guard let writer = filter.writer else { return }
        // SAFETY: as above.
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.stackBytes, alignment: 8) {
            var line = unsafe LogFields(in: $0, limit: writer.maxLineBytes)
            line.start(level, filter.stream, at: writer.time.wall(), location)
            line.setMessage(message)
            line.setContext(CallContext.current)
            fields(&line)
            writer.submit(&line, level, filter.stream)
        }
    }

    /// Writes a line of another logging library, whose source location is not static text.
    @_spi(LogBridge)
    public func write(
        _ level: LogLevel, _ message: String, file: String, line: UInt, function: String,
        _ fields: (inout LogFields) -> Void
    ) {
        guard isEnabled(level), let writer = filter.writer else { return }
        // SAFETY: as above.
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.stackBytes, alignment: 8) {
            var record = unsafe LogFields(in: $0, limit: writer.maxLineBytes)
            record.start(
                level, filter.stream, at: writer.time.wall(), file: file, line: line,
                function: function)
            record.setMessage(message)
            record.setContext(CallContext.current)
            fields(&record)
            writer.submit(&record, level, filter.stream)
        }
    }
}

/// The source location of a log call.
@usableFromInline
struct SourceLocation {
    let file: StaticString
    let line: UInt
    let function: StaticString

    @usableFromInline
    init(file: StaticString, line: UInt, function: StaticString) {
        self.file = file
        self.line = line
        self.function = function
    }
}

/// The state that all copies of one stream's `RocketLogger` share: the current level and the
/// writer. Any thread.
@usableFromInline
final class LevelFilter: Sendable {
    /// The lowest raw level that is written; `off`: none.
    @usableFromInline let threshold: Atomic<UInt8>
    let stream: LogStream
    let writer: AsyncLogWriter?

    /// A threshold above all levels.
    static let off: UInt8 = .max

    init(stream: LogStream, threshold: UInt8, writer: AsyncLogWriter?) {
        self.threshold = Atomic(threshold)
        self.stream = stream
        self.writer = writer
    }
}
