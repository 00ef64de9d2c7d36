public import Synchronization

/// What every copy of one stream's `RocketLogger` shares: the level that passes, and the writer behind.
@usableFromInline
final class LevelFilter: Sendable {
    /// The lowest raw level that passes; above all levels: none.
    @usableFromInline let threshold: Atomic<UInt8>
    let stream: LogStream
    let writer: AsyncLogWriter?

    static let closed: UInt8 = .max

    init(stream: LogStream, threshold: UInt8, writer: AsyncLogWriter?) {
        self.threshold = Atomic(threshold)
        self.stream = stream
        self.writer = writer
    }
}
