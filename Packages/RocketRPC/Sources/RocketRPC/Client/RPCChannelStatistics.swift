import Synchronization

/// A snapshot of a channel's counters, all since it was created.
public struct RPCChannelStatistics: Hashable, Sendable {
    /// Calls in flight now: waiting for a connection, for a reply, or for another attempt.
    public var callsInFlight = 0
    /// Connections established.
    public var connects = 0
    /// Failed attempts to connect.
    public var connectFailures = 0
    /// Connections that ended while the channel was open.
    public var connectionsLost = 0
    /// Lists of servers that the resolver of the channel's name has found.
    public var resolutions = 0
    /// Failed lookups of the channel's name; the last list was kept.
    public var resolutionFailures = 0
    /// Attempts to send a call again.
    public var retries = 0
    /// Calls that were not sent again, or not hedged, because the budget for that was used up.
    public var retriesRefused = 0
    /// How many calls the budget let the channel send again when it was asked last; -1: it has not
    /// been asked, or there is no budget.
    public var retryBudgetLeft = -1
    /// Second attempts that were sent before the first had ended.
    public var hedges = 0
    /// Calls that the reply to such an attempt has ended.
    public var hedgesWon = 0
    /// Choices of one of several servers for a call.
    public var picks = 0
    /// How often a server was left out because many of its calls had failed.
    public var ejections = 0
    /// `rocket.cancel` requests sent.
    public var cancelsSent = 0
    /// Dropped replies to calls that a deadline or a cancellation had ended.
    public var lateReplies = 0
    /// Dropped replies to calls that had been replied to.
    public var duplicateReplies = 0
    /// Dropped replies with an id of no call, or of one that ended too long ago to be remembered.
    public var unknownReplies = 0
    /// Connections closed because of an invalid frame.
    public var brokenStreams = 0

    /// All zero.
    public init() {}
}

/// The counters of a channel: written on its loop, read on any thread.
final class ChannelCounters: Sendable {
    let callsInFlight = Atomic(0)
    let connects = Atomic(0)
    let connectFailures = Atomic(0)
    let connectionsLost = Atomic(0)
    let resolutions = Atomic(0)
    let resolutionFailures = Atomic(0)
    let retries = Atomic(0)
    let retriesRefused = Atomic(0)
    let retryBudgetLeft = Atomic(-1)
    let hedges = Atomic(0)
    let hedgesWon = Atomic(0)
    let picks = Atomic(0)
    let ejections = Atomic(0)
    let cancelsSent = Atomic(0)
    let lateReplies = Atomic(0)
    let duplicateReplies = Atomic(0)
    let unknownReplies = Atomic(0)
    let brokenStreams = Atomic(0)

    func read() -> RPCChannelStatistics {
        var statistics = RPCChannelStatistics()
        statistics.callsInFlight = callsInFlight.load(ordering: .relaxed)
        statistics.connects = connects.load(ordering: .relaxed)
        statistics.connectFailures = connectFailures.load(ordering: .relaxed)
        statistics.connectionsLost = connectionsLost.load(ordering: .relaxed)
        statistics.resolutions = resolutions.load(ordering: .relaxed)
        statistics.resolutionFailures = resolutionFailures.load(ordering: .relaxed)
        statistics.retries = retries.load(ordering: .relaxed)
        statistics.retriesRefused = retriesRefused.load(ordering: .relaxed)
        statistics.retryBudgetLeft = retryBudgetLeft.load(ordering: .relaxed)
        statistics.hedges = hedges.load(ordering: .relaxed)
        statistics.hedgesWon = hedgesWon.load(ordering: .relaxed)
        statistics.picks = picks.load(ordering: .relaxed)
        statistics.ejections = ejections.load(ordering: .relaxed)
        statistics.cancelsSent = cancelsSent.load(ordering: .relaxed)
        statistics.lateReplies = lateReplies.load(ordering: .relaxed)
        statistics.duplicateReplies = duplicateReplies.load(ordering: .relaxed)
        statistics.unknownReplies = unknownReplies.load(ordering: .relaxed)
        statistics.brokenStreams = brokenStreams.load(ordering: .relaxed)
        return statistics
    }
}

extension ChannelCounters {
    /// Counts a reply that was dropped, by how its call had ended; nil: no such call is known.
    ///
    /// - Returns: the text for the log.
    func countDropped(_ ending: CompletedCalls.Ending?) -> StaticString {
        switch ending {
        case .unanswered:
            lateReplies.increment()
            return "late reply dropped"
        case .replied:
            duplicateReplies.increment()
            return "duplicate reply dropped"
        case nil:
            unknownReplies.increment()
            return "unknown reply dropped"
        }
    }
}

extension Atomic<Int> {
    /// Adds one. Not atomic as a whole: for the loop's thread only, the one that writes.
    func increment() { store(load(ordering: .relaxed) &+ 1, ordering: .relaxed) }
}
