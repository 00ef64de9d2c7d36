public import RocketSystem

/// How a `PersistentConnection` connects, and how long it waits after a failure. A value.
public struct PersistentConnectionConfiguration: Sendable {
    /// For one attempt: the lookup of a name, and all its addresses together. Default 5 s.
    public var connectTimeout: Duration = .seconds(5)
    /// The waits between attempts. Default: from 100 ms up to 10 s.
    public var backOff = BackOff()
    /// A connection that was up for so long counts as a success: after its loss the waits begin
    /// again at the shortest. Default 10 s.
    public var steadyAfter: Duration = .seconds(10)
    /// Of each connection.
    public var connection = TCPConnectionConfiguration()

    /// The defaults.
    public init() {}
}

extension PersistentConnection {
    /// Where it connects to. A value.
    public enum Target: Sendable {
        /// To the first of these that answers.
        case addresses([NetAddress])
        /// To a name, which is looked up anew for each attempt.
        case host(HostPort, NameResolver)
    }

    /// Why there is no connection now. A value.
    public enum Loss: Error, Hashable, Sendable, CustomStringConvertible {
        /// The name has no address, or could not be looked up.
        case lookup(NameLookupError)
        /// No address answered.
        case connect(ConnectError)
        /// It was up, and ended.
        case closed(CloseReason)

        /// For people and log lines.
        public var description: String {
            switch self {
            case .lookup(let error): error.description
            case .connect(let error): error.description
            case .closed(let reason): reason.description
            }
        }
    }

    /// What its owner is told, on its loop.
    public enum Event {
        /// A connection is up; its handler has heard `connected`.
        case up(TCPConnection)
        /// An attempt failed, or the connection ended (its handler has heard `closed`). The next
        /// attempt begins after so long.
        case down(Loss, retryAfter: Duration)
        /// `stop` has taken effect and nothing is left open. Last, exactly once.
        case stopped
    }
}
