/// How the last few thousand calls of a channel ended: what tells a late reply from a second one
/// and from one to nobody. A table of fixed size in which newer calls push older ones out.
struct RecentCalls {
    enum End: UInt64 {
        /// By a reply.
        case replied = 1
        /// Deadline or cancellation came first.
        case givenUp = 2
    }

    /// Hashes of ids, with the end in their lowest two bits; 0 is free.
    private var entries: ContiguousArray<UInt64> = []
    static let capacity = 4096
    private static let endBits: UInt64 = 3

    mutating func note(_ id: CallID, _ end: End) {
        if entries.isEmpty { entries = ContiguousArray(repeating: 0, count: Self.capacity) }
        entries[index(id)] = id.hash & ~Self.endBits | end.rawValue
    }

    /// nil where it is not known.
    func end(of id: CallID) -> End? {
        if entries.isEmpty { return nil }
        let entry = entries[index(id)]
        guard entry & ~Self.endBits == id.hash & ~Self.endBits else { return nil }
        return End(rawValue: entry & Self.endBits)
    }

    /// The high bits, which depend on all of the id's bytes.
    private func index(_ id: CallID) -> Int { Int(id.hash >> 52) }
}
