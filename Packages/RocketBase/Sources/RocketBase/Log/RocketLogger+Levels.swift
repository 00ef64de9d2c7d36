// The made text is generic so that the compiler takes literals for static text: of StaticString and
// String it would prefer String where a trailing closure follows.
//
// Six levels, each for static text (no allocation) and for made text (made only when it is written).
// `fields` adds the line's key=value pairs.

extension RocketLogger {
    /// Steps within a part, for whoever works on it.
    @inlinable
    public func trace(
        _ message: StaticString, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.trace) else { return }
        write(.trace, message, SourceLocation(file: file, line: line, function: function), fields)
    }

    /// Steps within a part, for whoever works on it.
    @inlinable @_disfavoredOverload
    public func trace<Text: StringProtocol>(
        _ message: @autoclosure () -> Text, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.trace) else { return }
        write(
            .trace, String(message()), SourceLocation(file: file, line: line, function: function),
            fields)
    }

    /// What happened to one call or connection.
    @inlinable
    public func debug(
        _ message: StaticString, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.debug) else { return }
        write(.debug, message, SourceLocation(file: file, line: line, function: function), fields)
    }

    /// What happened to one call or connection.
    @inlinable @_disfavoredOverload
    public func debug<Text: StringProtocol>(
        _ message: @autoclosure () -> Text, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.debug) else { return }
        write(
            .debug, String(message()), SourceLocation(file: file, line: line, function: function),
            fields)
    }

    /// Rare and normal: started, stopped, reloaded. Nothing per call.
    @inlinable
    public func info(
        _ message: StaticString, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.info) else { return }
        write(.info, message, SourceLocation(file: file, line: line, function: function), fields)
    }

    /// Rare and normal: started, stopped, reloaded. Nothing per call.
    @inlinable @_disfavoredOverload
    public func info<Text: StringProtocol>(
        _ message: @autoclosure () -> Text, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.info) else { return }
        write(
            .info, String(message()), SourceLocation(file: file, line: line, function: function),
            fields)
    }

    /// Not as it should be, and dealt with.
    @inlinable
    public func warn(
        _ message: StaticString, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.warn) else { return }
        write(.warn, message, SourceLocation(file: file, line: line, function: function), fields)
    }

    /// Not as it should be, and dealt with.
    @inlinable @_disfavoredOverload
    public func warn<Text: StringProtocol>(
        _ message: @autoclosure () -> Text, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.warn) else { return }
        write(
            .warn, String(message()), SourceLocation(file: file, line: line, function: function),
            fields)
    }

    /// Something asked for could not be done. Where the buffer is full it waits briefly.
    @inlinable
    public func error(
        _ message: StaticString, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.error) else { return }
        write(.error, message, SourceLocation(file: file, line: line, function: function), fields)
    }

    /// Something asked for could not be done. Where the buffer is full it waits briefly.
    @inlinable @_disfavoredOverload
    public func error<Text: StringProtocol>(
        _ message: @autoclosure () -> Text, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.error) else { return }
        write(
            .error, String(message()), SourceLocation(file: file, line: line, function: function),
            fields)
    }

    /// The process can't do its work.
    @inlinable
    public func critical(
        _ message: StaticString, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.critical) else { return }
        write(
            .critical, message, SourceLocation(file: file, line: line, function: function), fields)
    }

    /// The process can't do its work.
    @inlinable @_disfavoredOverload
    public func critical<Text: StringProtocol>(
        _ message: @autoclosure () -> Text, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.critical) else { return }
        write(
            .critical, String(message()),
            SourceLocation(file: file, line: line, function: function),
            fields)
    }
}
