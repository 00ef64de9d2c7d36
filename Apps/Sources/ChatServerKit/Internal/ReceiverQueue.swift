import RocketBase
import RocketTCP

/// What waits for one slow receiver: whole messages in bytes that it shares with others, oldest
/// first, and how many were dropped before them. A value without a socket.
struct ReceiverQueue {
    /// The next thing to send.
    enum Piece {
        /// So many messages are missing here.
        case dropped(Int)
        /// These bytes are next.
        case messages(SharedBytes, Range<Int>)
    }

    private struct Entry {
        let bytes: SharedBytes
        var range: Range<Int>
    }

    private var entries: [Entry?] = []
    private var first = 0
    private var untold = 0
    /// Bytes that wait.
    private(set) var byteCount = 0

    /// True when nothing waits, not even word of what was dropped.
    var isEmpty: Bool { first == entries.count && untold == 0 }

    /// Appends whole messages, each with its length before it.
    mutating func append(_ bytes: SharedBytes, _ range: Range<Int>) {
        if range.isEmpty { return }
        byteCount += range.count
        // A small part of something large must not keep all of it in memory.
        guard range.count * 2 < bytes.count else {
            return entries.append(Entry(bytes: bytes, range: range))
        }
        var part = ByteBuffer()
        bytes.buffer.withBytes { part.append($0.extracting(range)) }
        entries.append(Entry(bytes: SharedBytes(part), range: 0..<range.count))
    }

    /// Drops the oldest messages until no more than `limit` bytes wait; returns how many it were.
    mutating func dropOldest(downTo limit: Int) -> Int {
        var dropped = 0
        while byteCount > limit, first < entries.count, var entry = entries[first] {
            let start = entry.range.lowerBound
            let size = 4 + Int(entry.bytes.buffer.integer(at: start, as: UInt32.self))
            byteCount -= size
            dropped += 1
            entry.range = (start + size)..<entry.range.upperBound
            entries[first] = entry
            if entry.range.isEmpty { dropFirst() }
        }
        untold += dropped
        return dropped
    }

    /// Takes out what is next; nil when nothing waits.
    mutating func next() -> Piece? {
        if untold > 0 {
            defer { untold = 0 }
            return .dropped(untold)
        }
        guard first < entries.count, let entry = entries[first] else { return nil }
        byteCount -= entry.range.count
        dropFirst()
        return .messages(entry.bytes, entry.range)
    }

    /// Forgets everything.
    mutating func removeAll() { self = ReceiverQueue() }

    private mutating func dropFirst() {
        // Its bytes must not stay in memory as long as the list does.
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
