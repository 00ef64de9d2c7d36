/// How the last few thousand calls of a channel ended, which tells a late reply from a duplicate
/// and from an unknown one. Two tables of fixed size, in which newer calls replace older ones; so
/// the many calls with a reply don't replace the few without. A value.
struct CompletedCalls {
    enum Ending {
        case replied
        /// A deadline, a cancellation or the end of the connection came before the reply.
        case unanswered
    }

    /// Hashes of ids; 0: free.
    private var replied: ContiguousArray<UInt64> = []
    private var unanswered: ContiguousArray<UInt64> = []
    /// Entries of each table.
    static let capacity = 4096

    mutating func record(_ hash: UInt64, _ ending: Ending) {
        switch ending {
        case .replied: Self.record(hash, in: &replied)
        case .unanswered: Self.record(hash, in: &unanswered)
        }
    }

    /// nil: no such call, or one that has been replaced.
    func ending(of hash: UInt64) -> Ending? {
        if Self.contains(hash, unanswered) { return .unanswered }
        return Self.contains(hash, replied) ? .replied : nil
    }

    private static func record(_ hash: UInt64, in table: inout ContiguousArray<UInt64>) {
        if table.isEmpty { table = ContiguousArray(repeating: 0, count: capacity) }
        table[index(hash)] = hash
    }

    private static func contains(_ hash: UInt64, _ table: ContiguousArray<UInt64>) -> Bool {
        !table.isEmpty && table[index(hash)] == hash
    }

    /// The 12 high bits, which depend on all bytes of the id.
    private static func index(_ hash: UInt64) -> Int { Int(hash >> 52) }
}
