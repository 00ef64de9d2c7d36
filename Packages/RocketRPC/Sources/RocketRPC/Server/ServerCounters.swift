import Synchronization

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
