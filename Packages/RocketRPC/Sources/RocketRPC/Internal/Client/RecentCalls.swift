/// How the last few thousand calls of a channel ended: what tells a late reply from a second one
/// and from one to nobody. Two tables of fixed size in which newer calls push older ones out; the
/// many that were answered don't push out the few that were given up.
struct RecentCalls {
    enum End {
        /// By a reply.
        case replied
        /// Deadline or cancellation came first.
        case givenUp
    }

    /// Hashes of ids; 0 is free.
    private var replied: ContiguousArray<UInt64> = []
    private var givenUp: ContiguousArray<UInt64> = []
    /// Of each.
    static let capacity = 4096

    mutating func note(_ id: CallID, _ end: End) {
        switch end {
        case .replied: Self.note(id, in: &replied)
        case .givenUp: Self.note(id, in: &givenUp)
        }
    }

    /// nil where it is not known.
    func end(of id: CallID) -> End? {
        if Self.contains(id, givenUp) { return .givenUp }
        return Self.contains(id, replied) ? .replied : nil
    }

    private static func note(_ id: CallID, in table: inout ContiguousArray<UInt64>) {
        if table.isEmpty { table = ContiguousArray(repeating: 0, count: capacity) }
        table[index(id)] = id.hash
    }

    private static func contains(_ id: CallID, _ table: ContiguousArray<UInt64>) -> Bool {
        !table.isEmpty && table[index(id)] == id.hash
    }

    /// The high bits, which depend on all of the id's bytes.
    private static func index(_ id: CallID) -> Int { Int(id.hash >> 52) }
}
