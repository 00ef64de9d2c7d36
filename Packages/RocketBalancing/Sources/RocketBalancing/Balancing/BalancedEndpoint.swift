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
