/// Spans that wait for their export: a bounded queue. Those that it has no room for are dropped, the
/// newest, so that traces that have begun are complete. A value.
struct SpanQueue {
    /// About how many bytes of spans may wait, for each of the most spans.
    static let bytesPerSpan = 1024
    /// The most bytes of an export, about; one span may have more.
    static let batchBytes = 1 << 20

    private var spans: [(span: OTLPSpan, bytes: Int)] = []
    private let limit: Int
    private let maxBytes: Int
    private(set) var bytes = 0
    /// How many were dropped for want of room.
    private(set) var dropped: UInt64 = 0

    /// - Parameter limit: the most spans. At least 1.
    init(limit: Int) {
        self.limit = max(1, limit)
        maxBytes = max(SpanLimits.bytes, self.limit * Self.bytesPerSpan)
    }

    var count: Int { spans.count }

    /// Whether there is enough for a full export.
    func isFull(batch: Int) -> Bool { spans.count >= batch || bytes >= Self.batchBytes }

    /// Adds a span behind the others, or drops it.
    mutating func add(_ span: OTLPSpan, bytes: Int) {
        if spans.count >= limit || self.bytes + bytes > maxBytes {
            dropped += 1
            return
        }
        spans.append((span, bytes))
        self.bytes += bytes
    }

    /// Takes the first spans out, for one export.
    mutating func take(upTo most: Int) -> [OTLPSpan] {
        var (count, size) = (0, 0)
        while count < min(max(1, most), spans.count),
            count == 0 || size + spans[count].bytes <= Self.batchBytes
        {
            size += spans[count].bytes
            count += 1
        }
        defer {
            spans.removeFirst(count)
            bytes -= size
        }
        return spans.prefix(count).map(\.span)
    }

    /// Drops all spans.
    ///
    /// - Returns: how many there were.
    mutating func removeAll() -> Int {
        defer {
            spans = []
            bytes = 0
        }
        return spans.count
    }
}
