/// How the last few thousand calls of a channel ended: what tells a late reply from a second one
/// and from one to nobody. Two tables of fixed size in which newer calls push older ones out; the
/// many that were answered don't push out the few that were given up.
struct CompletedCalls {
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

    mutating func note(_ hash: UInt64, _ end: End) {
        switch end {
        case .replied: Self.note(hash, in: &replied)
        case .givenUp: Self.note(hash, in: &givenUp)
        }
    }

    /// nil where it is not known.
    func end(of hash: UInt64) -> End? {
        if Self.contains(hash, givenUp) { return .givenUp }
        return Self.contains(hash, replied) ? .replied : nil
    }

    private static func note(_ hash: UInt64, in table: inout ContiguousArray<UInt64>) {
        if table.isEmpty { table = ContiguousArray(repeating: 0, count: capacity) }
        table[index(hash)] = hash
    }

    private static func contains(_ hash: UInt64, _ table: ContiguousArray<UInt64>) -> Bool {
        !table.isEmpty && table[index(hash)] == hash
    }

    /// The high bits, which depend on all of the id's bytes.
    private static func index(_ hash: UInt64) -> Int { Int(hash >> 52) }
}
