import RocketSystem

/// Decides whether the machine of a TCP peer still answers, from what the kernel knows of it. A pure
/// value, owned by its connection while something that was sent may be unanswered.
///
/// TCP_USER_TIMEOUT is of no use for that: with a full window Linux counts the time of its probes
/// although the peer answers each of them, and ends connections of peers that only don't read.
struct PeerLiveness {
    enum Verdict: Equatable {
        /// Everything that was sent is acknowledged.
        case settled
        /// Check again then.
        case waiting(until: MonotonicTime)
        /// Nothing was answered for the whole time limit.
        case silent
    }

    /// From this moment on nothing was answered, as far as is known.
    private var unansweredSince: MonotonicTime
    /// Retransmissions before that moment; nil before the first check. The kernel's width.
    private var retransmissionsBefore: UInt32?

    /// The time limit is checked so many times.
    private static let checksPerLimit: UInt64 = 10
    /// One transmission may be lost, and the kernel may wait for longer than the time limit before
    /// the next one.
    private static let leastUnanswered = 2

    /// The time of an answer is measured anew by each check, and a little later or earlier each
    /// time: so much later it is another answer.
    private static func slack(_ limit: UInt64) -> UInt64 { max(limit / 100, 50_000_000) }

    /// - Parameter sentAt: when bytes were sent after everything before them was acknowledged.
    init(sentAt: MonotonicTime) { unansweredSince = sentAt }

    /// Returns when the first check is due.
    func firstCheck(limit: UInt64) -> MonotonicTime {
        Self.nextCheck(after: unansweredSince, limit)
    }

    /// The times of checks are the same for all connections, so that one pass over those of a loop
    /// serves all of them.
    private static func nextCheck(after time: MonotonicTime, _ limit: UInt64) -> MonotonicTime {
        let step = max(1, limit / checksPerLimit)
        return MonotonicTime(nanoseconds: time.nanoseconds / step * step).later(by: step)
    }

    /// Takes a look at the connection.
    ///
    /// - Parameter limit: nanoseconds without any answer that end a connection.
    mutating func check(_ progress: TCPProgress, at now: MonotonicTime, limit: UInt64) -> Verdict {
        if progress.unacknowledged == 0, progress.unsentBytes == 0 { return .settled }
        let total = progress.totalRetransmissions
        let before =
            retransmissionsBefore.map { Int($0) } ?? (total - progress.retransmissions)
        let answeredAt = now + (.zero - progress.sinceAnswer)
        let isWaiting =
            progress.unacknowledged > 0
            // Linux counts no retransmission in `retransmissions` that its own device has dropped.
            ? (progress.retransmissions > 0 || total > before)
                && progress.sinceAnswer > progress.sinceSent
            : progress.probes > 0
        if !isWaiting || answeredAt > unansweredSince.later(by: Self.slack(limit)) {
            unansweredSince = isWaiting ? answeredAt : now
            retransmissionsBefore = UInt32(clamping: total)
        } else {
            retransmissionsBefore = UInt32(clamping: before)
        }
        let unanswered = progress.unacknowledged > 0 ? total - before : progress.probes
        let deadline = unansweredSince.later(by: limit)
        if isWaiting, now >= deadline, unanswered >= Self.leastUnanswered { return .silent }
        let next = Self.nextCheck(after: now, limit)
        return .waiting(until: now < deadline ? min(deadline, next) : next)
    }
}
