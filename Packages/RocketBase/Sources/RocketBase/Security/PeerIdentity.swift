public import RocketSystem

/// How the peer of a connection has proved who it is. A value.
public enum PeerIdentity: Hashable, Sendable {
    /// It has proved nothing.
    case none
    /// The kernel says which process is at the other end of a Unix socket.
    case unix(PeerCredentials)
    /// It has a certificate of an authority that is trusted here, or with the fingerprint that is
    /// expected, and its private key: a client with mTLS, or any server.
    // In memory of its own: most connections have none.
    indirect case certificate(X509Certificate)
}

extension PeerIdentity: CustomStringConvertible {
    /// Text for log lines: `none`, `uid=1000 gid=1000 pid=4711`, `CN=orders,O=Example`.
    public var description: String {
        switch self {
        case .none: "none"
        case .unix(let process):
            "uid=\(process.userID) gid=\(process.groupID) pid=\(process.processID)"
        case .certificate(let certificate): certificate.subject
        }
    }
}
