/// Limits of a connection. A value.
public struct PostgresLimits: Hashable, Sendable {
    /// The time for connecting to a host, with TLS and authentication, unless the URL has
    /// `connect_timeout`. Default 5 s.
    public var connect = Duration.seconds(5)
    /// How long sent bytes may be unacknowledged, in whole seconds, unless the URL has
    /// `tcp_user_timeout`; 0: as long as the system's default. Default 5 s.
    public var unacknowledged = Duration.seconds(5)
    /// The time without an answer after which the connection counts as lost. Default 10 s.
    public var answer = Duration.seconds(10)
    /// What the server shows as the application (`pg_stat_activity`). Default "rocket".
    public var applicationName = "rocket"

    /// The defaults.
    public init() {}
}
