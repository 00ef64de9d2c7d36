import Synchronization

/// What a channel counts: written on its loop, read from any thread.
final class ChannelCounters: Sendable {
    let callsInFlight = Atomic(0)
    let connects = Atomic(0)
    let connectFailures = Atomic(0)
    let connectionsLost = Atomic(0)
    let retries = Atomic(0)
    let cancelsSent = Atomic(0)
    let lateReplies = Atomic(0)
    let duplicateReplies = Atomic(0)
    let unknownReplies = Atomic(0)

    func read() -> RPCChannelStatistics {
        var statistics = RPCChannelStatistics()
        statistics.callsInFlight = callsInFlight.load(ordering: .relaxed)
        statistics.connects = connects.load(ordering: .relaxed)
        statistics.connectFailures = connectFailures.load(ordering: .relaxed)
        statistics.connectionsLost = connectionsLost.load(ordering: .relaxed)
        statistics.retries = retries.load(ordering: .relaxed)
        statistics.cancelsSent = cancelsSent.load(ordering: .relaxed)
        statistics.lateReplies = lateReplies.load(ordering: .relaxed)
        statistics.duplicateReplies = duplicateReplies.load(ordering: .relaxed)
        statistics.unknownReplies = unknownReplies.load(ordering: .relaxed)
        return statistics
    }
}

extension Atomic<Int> {
    /// One more; only the loop's thread counts.
    func count() { store(load(ordering: .relaxed) &+ 1, ordering: .relaxed) }
}
