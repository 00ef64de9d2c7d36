/// The endpoints that a call was sent to before: a retry or a hedge goes to another one. Remembers
/// the last four. A value without allocations.
public struct TriedEndpoints: Hashable, Sendable {
    private var last: (Int32, Int32, Int32, Int32) = (-1, -1, -1, -1)

    /// None.
    public init() {}

    /// Adds an endpoint's index in its `Balancer`; forgets the oldest of five.
    public mutating func insert(_ index: Int) {
        last = (Int32(truncatingIfNeeded: index), last.0, last.1, last.2)
    }

    /// Whether no endpoint was tried.
    @inline(__always)
    public var isEmpty: Bool { last.0 < 0 }

    /// Whether the endpoint is among the last four.
    public func contains(_ index: Int) -> Bool {
        let index = Int32(truncatingIfNeeded: index)
        return last.0 == index || last.1 == index || last.2 == index || last.3 == index
    }

    /// Returns whether both have the same endpoints in the same order.
    public static func == (a: Self, b: Self) -> Bool { a.last == b.last }

    /// Hashes the endpoints.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(last.0)
        hasher.combine(last.1)
        hasher.combine(last.2)
        hasher.combine(last.3)
    }
}
