// Each of the six levels has a function for static text, which takes no allocation, and one for
// dynamic text, which is evaluated only when the line is written. `fields` adds the key=value pairs
// of the line.
//
// The dynamic text is generic so that the compiler treats literals as static text: between
// StaticString and String it would prefer String when a trailing closure follows.

extension RocketLogger {
    /// Writes a line about a step within a component, for its developers.
    @inlinable
    public func trace(
        _ message: StaticString, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.trace) else { return }
        write(.trace, message, SourceLocation(file: file, line: line, function: function), fields)
    }

    /// Writes a line about a step within a component, for its developers.
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

    /// Writes a line about an event of one call or connection.
    @inlinable
    public func debug(
        _ message: StaticString, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.debug) else { return }
        write(.debug, message, SourceLocation(file: file, line: line, function: function), fields)
    }

    /// Writes a line about an event of one call or connection.
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

    /// Writes a line about a rare, normal event of the process, such as its start, stop or reload;
    /// not for events of single calls.
    @inlinable
    public func info(
        _ message: StaticString, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.info) else { return }
        write(.info, message, SourceLocation(file: file, line: line, function: function), fields)
    }

    /// Writes a line about a rare, normal event of the process, such as its start, stop or reload;
    /// not for events of single calls.
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

    /// Writes a line about a fault that the process has handled.
    @inlinable
    public func warn(
        _ message: StaticString, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.warn) else { return }
        write(.warn, message, SourceLocation(file: file, line: line, function: function), fields)
    }

    /// Writes a line about a fault that the process has handled.
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

    /// Writes a line about a requested operation that failed. When the buffer is full the call
    /// waits up to `LogConfiguration.errorWait`.
    @inlinable
    public func error(
        _ message: StaticString, file: StaticString = #fileID,
        line: UInt = #line, function: StaticString = #function,
        _ fields: (inout LogFields) -> Void = { _ in }
    ) {
        guard isEnabled(.error) else { return }
        write(.error, message, SourceLocation(file: file, line: line, function: function), fields)
    }

    /// Writes a line about a requested operation that failed. When the buffer is full the call
    /// waits up to `LogConfiguration.errorWait`.
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

    /// Writes a line about a fault that keeps the process from working. When the buffer is full the
    /// call waits up to `LogConfiguration.errorWait`.
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

    /// Writes a line about a fault that keeps the process from working. When the buffer is full the
    /// call waits up to `LogConfiguration.errorWait`.
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
