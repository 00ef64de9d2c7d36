/// A server of a list, as a resolver returns it.
public struct BalancedEndpoint: Hashable, Sendable {
    /// What distinguishes it from others, such as its address: an endpoint of a new list with the
    /// same identity keeps its state.
    public var identity: String
    /// Its share of the calls relative to others. From 0.001 to 1,000, where others are taken for
    /// the nearest; default 1.
    public var weight: Double
    /// The zone of its metadata; empty, the default: unknown.
    public var zone: String

    /// Creates an endpoint.
    ///
    /// - Parameters: see the properties.
    public init(_ identity: String, weight: Double = 1, zone: String = "") {
        self.identity = identity
        self.weight = weight
        self.zone = zone
    }

    /// The weight within its limits; 1 if it is no number.
    var boundedWeight: Double { weight.isNaN ? 1 : min(1_000, max(0.001, weight)) }
}

/// How a call ended, as far as its endpoint is concerned.
public enum CallOutcome: Hashable, Sendable {
    /// The endpoint answered, if only with an error of the application.
    case success
    /// The endpoint's fault: the connection ended, the deadline passed, or an error such as INTERNAL.
    case failure
    /// The endpoint refused the call because it is overloaded or is shutting down. It costs the
    /// endpoint calls, as a failure does, but does not count for its ejection: servers at three times
    /// their load refuse most calls and would all be ejected.
    case refused
    /// The caller cancelled the call, or something else that says nothing of the endpoint.
    case ignored
}

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
