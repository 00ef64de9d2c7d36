import RocketSystem

/// Where in the source a line was written.
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

extension RocketLogger {
    /// Most lines fit: built on the caller's stack. Longer ones move to the heap.
    private static var stackBytes: Int { 1024 }

    /// Writes a line of any level, for those who know it only at run time.
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
        _ level: LogLevel, _ message: StaticString, _ place: SourceLocation,
        _ fields: (inout LogFields) -> Void
    ) {
        guard let writer = gate.writer else { return }
        // SAFETY: the temporary memory outlives `line`, which is gone when the closure ends.
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.stackBytes, alignment: 8) {
            var line = unsafe LogFields(in: $0, limit: writer.maxLineBytes)
            line.start(level, gate.stream, at: writer.time.wall(), place)
            line.setMessage(message)
            line.setContext(CallContext.current)
            fields(&line)
            writer.submit(&line, level, gate.stream)
        }
    }

    @usableFromInline @inline(never)
    func write(
        _ level: LogLevel, _ message: String, _ place: SourceLocation,
        _ fields: (inout LogFields) -> Void
    ) {
        guard let writer = gate.writer else { return }
        // SAFETY: as above.
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.stackBytes, alignment: 8) {
            var line = unsafe LogFields(in: $0, limit: writer.maxLineBytes)
            line.start(level, gate.stream, at: writer.time.wall(), place)
            line.setMessage(message)
            line.setContext(CallContext.current)
            fields(&line)
            writer.submit(&line, level, gate.stream)
        }
    }

    /// For lines that come from another logging library, with places that are no static text.
    @_spi(LogBridge)
    public func write(
        _ level: LogLevel, _ message: String, file: String, line: UInt, function: String,
        _ fields: (inout LogFields) -> Void
    ) {
        guard isEnabled(level), let writer = gate.writer else { return }
        // SAFETY: as above.
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.stackBytes, alignment: 8) {
            var record = unsafe LogFields(in: $0, limit: writer.maxLineBytes)
            record.start(
                level, gate.stream, at: writer.time.wall(), file: file, line: line,
                function: function)
            record.setMessage(message)
            record.setContext(CallContext.current)
            fields(&record)
            writer.submit(&record, level, gate.stream)
        }
    }
}
