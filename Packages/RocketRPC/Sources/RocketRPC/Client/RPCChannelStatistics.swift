/// What a channel has done since it was made, as one reading.
public struct RPCChannelStatistics: Hashable, Sendable {
    /// Calls that wait: for a connection, for their replies, or for another attempt.
    public var callsInFlight = 0
    /// Connections that came about.
    public var connects = 0
    /// Attempts to connect that failed.
    public var connectFailures = 0
    /// Connections that ended while the channel was open.
    public var connectionsLost = 0
    /// Calls that were sent again, each time counted.
    public var retries = 0
    /// `rocket.cancel` requests sent.
    public var cancelsSent = 0
    /// Replies to calls that had ended before, by deadline or cancellation; dropped.
    public var lateReplies = 0
    /// Further replies to calls that had one; dropped.
    public var duplicateReplies = 0
    /// Replies to calls that nobody made, or that ended too long ago to be remembered; dropped.
    public var unknownReplies = 0

    /// Nothing yet.
    public init() {}
}
