public import RocketTCP

/// One server among those that a channel calls: what a resolver knows of it.
public struct RPCEndpoint: Hashable, Sendable {
    /// Its addresses, best first; a connection uses the first that answers (RFC 8305). At least one.
    /// They are its identity: a new list that has the same ones keeps the connections.
    public var addresses: [NetAddress]
    /// The host name that TLS checks its certificate against; nil: the text of its address.
    public var host: String?
    /// Its share of calls, in relation to the weights of the others. 1 to 65,535; default 1.
    public var weight = 1
    /// The zone that it runs in; nil: unknown. A channel with a zone of its own prefers it.
    public var zone: String?

    /// A server at these addresses.
    public init(_ addresses: [NetAddress], host: String? = nil) {
        self.addresses = addresses
        self.host = host
    }

    /// Its addresses, separated by commas.
    var text: String { addresses.map(\.description).joined(separator: ",") }
}
