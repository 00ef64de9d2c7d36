public import RocketBase
public import RocketSystem

/// Time limits and back-off of a `PersistentConnection`. A value.
public struct PersistentConnectionConfiguration: Sendable {
    /// The time limit of one attempt: the lookup of the name and all addresses. Default 5 s.
    public var connectTimeout: Duration = .seconds(5)
    /// The waits between attempts. Default: from 100 ms to 10 s.
    public var backOff = BackOff()
    /// A connection that lasted at least so long counts as a success: after its loss the waits
    /// begin at the shortest again. Default 10 s.
    public var steadyAfter: Duration = .seconds(10)
    /// What protects each connection; nil, the default: nothing.
    public var security: (any ClientTransportSecurity)?
    /// The configuration of each connection.
    public var connection = TCPConnectionConfiguration()

    /// Creates the defaults.
    public init() {}
}

extension PersistentConnection {
    /// The peer to connect to. A value.
    public enum Target: Sendable {
        /// The first of these addresses that answers.
        case addresses([NetAddress])
        /// A name, which is looked up for each attempt.
        case host(HostPort, any HostLookup)
    }

    /// Why there is no connection. A value.
    public enum Loss: Error, Hashable, Sendable, CustomStringConvertible {
        /// The name has no address, or could not be looked up.
        case lookup(NameLookupError)
        /// No address answered.
        case connect(ConnectError)
        /// The connection was established, and has ended.
        case closed(CloseReason)

        /// Text for log lines.
        public var description: String {
            switch self {
            case .lookup(let error): error.description
            case .connect(let error): error.description
            case .closed(let reason): reason.description
            }
        }
    }

    /// Events for the owner, on its loop.
    public enum Event {
        /// A connection is established; its handler's `connected` has been called.
        case up(TCPConnection)
        /// An attempt failed, or the connection ended (its handler's `closed` has been called). The
        /// next attempt begins after `retryAfter`.
        case down(Loss, retryAfter: Duration)
        /// `stop` has taken effect and no connection is open. Last, exactly once.
        case stopped
    }
}
