import RocketBase
import RocketTCP

/// Messages queued for one slow receiver, oldest first, in bytes shared with other queues, and the
/// number of messages dropped before them. A value without a socket.
struct ReceiverQueue {
    /// What is sent next.
    enum Element {
        /// This many messages are missing here.
        case dropped(Int)
        /// These bytes.
        case messages(SharedBytes, Range<Int>)
    }

    private struct Entry {
        let bytes: SharedBytes
        var range: Range<Int>
    }

    private var entries: [Entry?] = []
    private var first = 0
    /// Dropped messages of which the receiver has not been notified.
    private var unreported = 0
    /// Bytes in the queue.
    private(set) var byteCount = 0

    /// True when there is nothing to send, not even a notice of dropped messages.
    var isEmpty: Bool { first == entries.count && unreported == 0 }

    /// Appends whole messages, each preceded by its length.
    mutating func append(_ bytes: SharedBytes, _ range: Range<Int>) {
        if range.isEmpty { return }
        byteCount += range.count
        // A part that is smaller than half is copied, or it would keep the whole in memory.
        guard range.count * 2 < bytes.count else {
            return entries.append(Entry(bytes: bytes, range: range))
        }
        var part = ByteBuffer()
        bytes.buffer.withBytes { part.append($0.extracting(range)) }
        entries.append(Entry(bytes: SharedBytes(part), range: 0..<range.count))
    }

    /// Drops the oldest messages until at most `limit` bytes remain.
    ///
    /// - Returns: how many messages were dropped.
    mutating func dropOldest(downTo limit: Int) -> Int {
        var dropped = 0
        while byteCount > limit, first < entries.count, var entry = entries[first] {
            let start = entry.range.lowerBound
            let size = 4 + Int(entry.bytes.buffer.integer(at: start, as: UInt32.self))
            byteCount -= size
            dropped += 1
            entry.range = (start + size)..<entry.range.upperBound
            entries[first] = entry
            if entry.range.isEmpty { removeFirst() }
        }
        unreported += dropped
        return dropped
    }

    /// Removes and returns what is sent next; nil when the queue is empty.
    mutating func popFirst() -> Element? {
        if unreported > 0 {
            defer { unreported = 0 }
            return .dropped(unreported)
        }
        guard first < entries.count, let entry = entries[first] else { return nil }
        byteCount -= entry.range.count
        removeFirst()
        return .messages(entry.bytes, entry.range)
    }

    /// Drops everything without a notice.
    mutating func removeAll() { self = ReceiverQueue() }

    private mutating func removeFirst() {
        // Releases the bytes now rather than when the array shrinks.
        entries[first] = nil
        first += 1
        if first == entries.count {
            entries.removeAll(keepingCapacity: first <= 16)
            first = 0
        } else if first >= 64, first * 2 > entries.count {
            entries.removeSubrange(..<first)
            first = 0
        }
    }
}
