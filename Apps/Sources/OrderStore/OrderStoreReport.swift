/// What `OrderStore.checkIntegrity` found.
public struct OrderStoreReport: Hashable, Sendable, CustomStringConvertible {
    /// The file that was read.
    public let path: String
    /// How many orders it holds.
    public let orders: Int64
    /// How many idempotency keys it still keeps.
    public let keys: Int64
    /// The last order's id; nil in an empty store.
    public let newest: OrderID?
    /// What is wrong, one line each; empty when all is well.
    public let problems: [String]

    /// True when nothing is wrong.
    public var isSound: Bool { problems.isEmpty }

    /// One line, and one for each problem.
    public var description: String {
        let last = newest.map { ", the newest is \($0)" } ?? ""
        let summary = "\(path): \(orders) orders\(last), \(keys) idempotency keys"
        guard !isSound else { return summary + ": sound" }
        return ([summary + ": \(problems.count) problems"] + problems.map { "  " + $0 })
            .joined(separator: "\n")
    }
}
