public import RocketBase
import RocketSystem

/// The log lines of a test, and the logger that they are written to. Of lines that peers can cause,
/// one of each kind. Any thread.
public final class LogLines: Sendable {
    private final class Sink: LogSink, Sendable {
        let lines = Locked<[String]>([])
        let lostLines: UInt64 = 0
        func write(_ event: borrowing LogEvent) {
            let text = unsafe event.withPart(.message) {
                unsafe String(decoding: $0, as: UTF8.self)
            }
            lines.withLock { $0.append(text) }
        }
        func endBatch() -> LogSinkNotice? { nil }
    }

    private let sink = Sink()
    private let system: LogSystem
    /// The logger.
    public var logger: RocketLogger { system.app }

    /// Starts a log without outputs.
    public init() throws {
        var logging = LogConfiguration()
        logging.outputs = []
        logging.throttleBudget = 1
        system = try LogSystem(logging, sinks: [sink])
    }

    /// Returns the texts of all lines, without their fields. Nothing is logged any more.
    public func end() -> [String] {
        system.shutdown()
        return sink.lines.withLock { $0 }
    }
}
