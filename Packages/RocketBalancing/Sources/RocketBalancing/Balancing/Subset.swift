/// The part of a long list of endpoints that one client uses, so that a thousand clients do not each
/// keep connections to a hundred servers: those with the highest hash of client and endpoint
/// (rendezvous hashing; Thaler, Ravishankar, 1998). A value; any thread.
///
/// When an endpoint comes or goes, a client changes at most that one connection and another; each
/// endpoint gets about the same number of clients.
public struct Subset: Hashable, Sendable {
    /// A hash of the client's id, which must differ between clients: `StableHash.of`.
    public var client: UInt64
    /// The most endpoints; a shorter list is used whole. At least 1; default 20.
    public var size: Int

    /// Creates a rule.
    ///
    /// - Parameters: see the properties.
    public init(client: UInt64, size: Int = 20) {
        self.client = client
        self.size = size
    }

    /// The indices of the endpoints to use, in the order of the list. Those of weight 0 and double
    /// identities are the caller's concern.
    public func indices(of endpoints: [BalancedEndpoint]) -> [Int] {
        guard endpoints.count > max(1, size) else { return Array(endpoints.indices) }
        let ranked = endpoints.enumerated().map {
            (index: $0.offset, rank: StableHash.of(client, StableHash.of($0.element.identity)))
        }.sorted { ($0.rank, $0.index) > ($1.rank, $1.index) }
        return ranked.prefix(max(1, size)).map(\.index).sorted()
    }
}
