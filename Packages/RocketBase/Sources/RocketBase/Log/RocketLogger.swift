public import Synchronization

/// Where a part writes its lines: a small value, passed by wiring and cheap to copy.
///
/// Get one from a `LogSystem` (`logs.rpc`, `logs.app`), or take `RocketLogger.disabled`. Any thread, and
/// never a blocking one: a line is put into a bounded buffer that the writer's thread empties.
/// A line whose level is off costs one load and a comparison; its text and its fields are not made.
///
/// ```swift
/// logger.info("connection accepted") { $0.add("fd", fd); $0.add("peer", peer) }
/// ```
public struct RocketLogger: Sendable {
    @usableFromInline let gate: LevelFilter

    init(gate: LevelFilter) { self.gate = gate }

    /// Takes every line and writes none.
    public static let disabled = RocketLogger(
        gate: LevelFilter(stream: .app, threshold: LevelFilter.closed, writer: nil))

    /// Whether a line of that level would be written now.
    @inlinable @inline(__always)
    public func isEnabled(_ level: LogLevel) -> Bool {
        level.rawValue >= gate.threshold.load(ordering: .relaxed)
    }

    /// The stream whose lines this writes.
    public var stream: LogStream { gate.stream }

    /// Waits until all lines of before are with the sinks. Blocks on the disk: not for reactors.
    public func flush() { gate.writer?.flush() }

    /// Writes what is buffered and ends the whole system that this logger belongs to, as
    /// `LogSystem.shutdown()` does.
    public func shutdown() { gate.writer?.shutdown() }
}
