import RocketBase
import RocketSystem
import RocketTCP

/// Messages queued for one slow receiver, oldest first, in bytes shared with other queues, and the
/// number of messages dropped before them. A value without a socket, owned by its session.
struct ReceiverQueue: ~Copyable {
    /// What is sent next.
    enum Element {
        /// This many messages are missing here.
        case dropped(Int)
        /// These bytes.
        case messages(SharedBytes, Range<Int>)
    }

    /// Whole messages. Not private, or Swift 6.3.1 fails to compile the end of the queue in other
    /// files ("broken module").
    struct Entry {
        let bytes: SharedBytes
        var range: Range<Int>
    }

    private var entries = RingBuffer<Entry>()
    /// Dropped messages of which the receiver has not been notified.
    private var unreported = 0
    /// Bytes in the queue.
    private(set) var byteCount = 0

    /// The memory that the queue holds, at most about: its bytes, shared or not, and what each entry
    /// takes beside them.
    var memoryBytes: Int { byteCount + entries.count * Self.entryBytes }

    /// An entry, and the object and the rounded-up buffer of a part of its own.
    private static let entryBytes = 192

    /// The number of entries whose memory stays allocated while none waits.
    private static let keptEntries = 16

    /// True when there is nothing to send, not even a notice of dropped messages.
    var isEmpty: Bool { entries.isEmpty && unreported == 0 }

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
        while byteCount > limit, var entry = entries.first {
            let start = entry.range.lowerBound
            let size = 4 + Int(entry.bytes.buffer.integer(at: start, as: UInt32.self))
            byteCount -= size
            dropped += 1
            entry.range = (start + size)..<entry.range.upperBound
            if entry.range.isEmpty { removeFirst() } else { entries[0] = entry }
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
        guard let entry = entries.first else { return nil }
        byteCount -= entry.range.count
        removeFirst()
        return .messages(entry.bytes, entry.range)
    }

    /// Drops everything without a notice.
    mutating func removeAll() { self = ReceiverQueue() }

    private mutating func removeFirst() {
        _ = entries.popFirst()
        entries.shrink(to: Self.keptEntries)
    }
}
