import RocketSystem

/// Whether a peer takes what is sent to it, as successive snapshots see it. A value.
struct PeerReading {
    /// How much it had taken.
    private var taken: UInt64 = 0
    /// When it was seen to take bytes, or when nothing waited; nil: it was never looked at, or nothing
    /// waited the last time.
    private var since: MonotonicTime?

    /// Takes a look.
    ///
    /// - Parameters:
    ///   - sent: what the kernel has taken in all.
    ///   - inKernel: what of it the peer has not taken.
    ///   - unsent: what waits to be sent.
    /// - Returns: how long bytes have waited without the peer taking any.
    mutating func look(
        sent: UInt64, inKernel: Int, unsent: Int, at now: MonotonicTime
    ) -> Duration {
        let nowTaken = sent - min(sent, UInt64(max(0, inKernel)))
        if inKernel == 0, unsent == 0 {
            since = nil
        } else if since == nil || nowTaken > taken {
            since = now
        }
        taken = nowTaken
        return since.map { now - $0 } ?? .zero
    }
}
