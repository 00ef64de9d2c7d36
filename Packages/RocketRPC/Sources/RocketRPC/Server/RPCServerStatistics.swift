import Synchronization

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

/// Counts what is rare, for all loops of a server. Any thread.
final class ServerCounters: Sendable {
    private let refusals = Atomic(0)
    private let cancellations = Atomic(0)
    private let unknownCancellations = Atomic(0)
    private let timeouts = Atomic(0)
    private let brokenStreams = Atomic(0)

    func refused() { refusals.wrappingAdd(1, ordering: .relaxed) }
    func cancelled() { cancellations.wrappingAdd(1, ordering: .relaxed) }
    func cancelledUnknown() { unknownCancellations.wrappingAdd(1, ordering: .relaxed) }
    func timedOut() { timeouts.wrappingAdd(1, ordering: .relaxed) }
    func brokenStream() { brokenStreams.wrappingAdd(1, ordering: .relaxed) }

    var snapshot: RPCServerStatistics {
        RPCServerStatistics(
            refusedCalls: refusals.load(ordering: .relaxed),
            cancelledCalls: cancellations.load(ordering: .relaxed),
            ignoredCancellations: unknownCancellations.load(ordering: .relaxed),
            timedOutCalls: timeouts.load(ordering: .relaxed),
            brokenStreams: brokenStreams.load(ordering: .relaxed))
    }
}
