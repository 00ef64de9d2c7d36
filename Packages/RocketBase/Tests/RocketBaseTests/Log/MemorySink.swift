import Foundation
import RocketBase
import RocketSystem

/// Keeps the text of every line, for tests to look at.
final class MemorySink: LogSink, Sendable {
    private let text = Locked<[String]>([])
    var lines: [String] { text.withLock { $0 } }
    let lostLines: UInt64 = 0

    func write(_ event: borrowing LogEvent) {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: event.formattedBound, alignment: 1)
        defer { memory.deallocate() }
        let length = event.format(.plain, into: memory)
        let line = String(decoding: memory[..<length], as: UTF8.self)
        text.withLock { $0.append(line) }
    }

    func endBatch() -> LogSinkNotice? { nil }
}
