import RocketBase
import RocketSystem

/// Keeps the text of each line, for tests to inspect.
final class MemorySink: LogSink, Sendable {
    private let texts = Locked<[(plain: String, prioritised: String)]>([])

    /// The lines in the plain style, each with its line feed.
    var lines: [String] { texts.withLock { $0.map(\.plain) } }
    /// The same lines with the `<N>` prefix of systemd.
    var prioritised: [String] { texts.withLock { $0.map(\.prioritised) } }
    let lostLines: UInt64 = 0

    func write(_ event: borrowing LogEvent) {
        let text = (text(of: event, .plain), text(of: event, .priority))
        texts.withLock { $0.append(text) }
    }

    func endBatch() -> LogSinkNotice? { nil }

    private func text(of event: borrowing LogEvent, _ style: LogLineStyle) -> String {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: event.formattedBound, alignment: 1)
        defer { memory.deallocate() }
        let length = event.format(style, into: memory)
        return String(decoding: memory[..<length], as: UTF8.self)
    }
}
