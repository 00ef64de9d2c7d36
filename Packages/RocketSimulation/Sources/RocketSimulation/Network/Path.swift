import RocketSystem

/// The way from one host to another: its conditions, and the faults that hold now. Bound to the
/// world's thread.
final class Path {
    let world: World
    var conditions: LinkConditions
    /// Added to each latency while a fault lasts.
    var extraLatency = Duration.zero
    /// Faults that let nothing through; 0: it works.
    private var cuts = 0
    /// What is sent again once the last cut is over.
    private var held: [() -> Void] = []
    /// The link is busy until then.
    private var nextFree = VirtualTime.start
    /// When the present cut began.
    private(set) var cutSince: MonotonicTime?

    /// TCP's least time until it sends again, and the bound on it here. (RFC 6298 bounds it by 60 s
    /// at least; a world should not have to wait for it.)
    private static let resendAfter = Duration.milliseconds(200)
    static let longestResend = Duration.seconds(5)

    init(_ world: World, _ conditions: LinkConditions) {
        self.world = world
        self.conditions = conditions
    }

    var isCut: Bool { cuts > 0 }

    /// When `byteCount` bytes that are sent now arrive.
    func arrival(byteCount: Int) -> MonotonicTime {
        let departure = max(world.now, nextFree)
        if let rate = conditions.bytesPerSecond {
            let time = UInt64(max(0, byteCount)) &* 1_000_000_000 / UInt64(max(1, rate))
            nextFree = departure.later(by: time)
        }
        return max(departure, nextFree) + world.networkRandom.duration(in: conditions.latency)
            + extraLatency
    }

    /// Runs `resend` when the path works: TCP sends again what was lost.
    func hold(_ resend: @escaping () -> Void) { held.append(resend) }

    /// Lets nothing through until `heal` has been called as often.
    func cut() {
        if cuts == 0 { cutSince = world.now }
        cuts += 1
    }

    func heal() {
        cuts -= 1
        guard cuts == 0 else { return }
        // The longer the cut, the longer TCP waits before it tries again.
        let lasted = world.now - (cutSince ?? world.now)
        cutSince = nil
        let most = min(max(lasted, Self.resendAfter), Self.longestResend)
        let waiting = held
        held = []
        for resend in waiting {
            world.schedule(after: world.networkRandom.duration(in: .zero...most), resend)
        }
    }

    /// Transmissions that TCP has repeated since the cut began.
    var resends: Int {
        guard let cutSince else { return 0 }
        var (count, wait, elapsed) = (0, Self.resendAfter, world.now - cutSince)
        while elapsed >= wait, count < 20 {
            elapsed -= wait
            wait = min(wait * 2, Self.longestResend)
            count += 1
        }
        return count
    }
}
