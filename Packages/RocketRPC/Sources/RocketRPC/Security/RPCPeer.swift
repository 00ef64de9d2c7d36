public import RocketBase
public import RocketTCP

/// Whom a verified token names: its subject and its claims.
public typealias RPCToken = TokenIdentity

/// The other side of a call, and how it has proved who it is. A value.
public struct RPCPeer: Hashable, Sendable {
    /// Its address.
    public let address: NetAddress
    /// What its connection has proved: nothing, a process of this machine, or a certificate.
    public let identity: PeerIdentity
    /// What the call's token has proved, on a server with an `RPCAuthenticator`; nil: it has none.
    public let token: RPCToken?

    /// Creates a peer, for tests of handlers and authenticators.
    public init(address: NetAddress, identity: PeerIdentity = .none, token: RPCToken? = nil) {
        self.address = address
        self.identity = identity
        self.token = token
    }

    init(_ peers: ConnectionPeers) {
        self.init(address: peers.peer, identity: peers.identity, token: peers.token)
    }

    /// Whether it has proved who it is, in any way.
    public var isAuthenticated: Bool { identity != .none || token != nil }
}

extension RPCController {
    /// The other side of the call: the caller on a server, the server on a channel. nil on a channel
    /// until the request is sent.
    public var peer: RPCPeer? {
        // Copied out of the lock: the value is made of several parts.
        storage.withState(of: generation) { $0.peers }?.map { RPCPeer($0) }
    }
}
