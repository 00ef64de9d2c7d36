/// What a server has seen so far beside calls that went well. For what goes on with each call add
/// an interceptor.
public struct RPCServerStatistics: Hashable, Sendable {
    /// Calls that were answered with an error before any handler ran: unknown names, limits,
    /// a drain, deadlines that had passed.
    public var refusedCalls = 0
    /// Calls that their callers gave up with a `rocket.cancel` frame.
    public var cancelledCalls = 0
    /// `rocket.cancel` frames for calls that had finished or never were.
    public var ignoredCancellations = 0
    /// Calls whose deadline, or the server's own limit, passed while the handler ran.
    public var timedOutCalls = 0
    /// Connections closed because a frame broke the rules.
    public var brokenStreams = 0
}
