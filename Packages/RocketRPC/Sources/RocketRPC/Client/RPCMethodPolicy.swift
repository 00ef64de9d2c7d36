public import RocketBalancing
import RocketBase
import RocketSystem

/// What a channel does differently for the calls of one method: an element of
/// `RPCChannelConfiguration.methods`. A value.
public struct RPCMethodPolicy: Hashable, Sendable {
    /// The time-out of calls that set none, of streaming calls, too. nil, the default: that of the
    /// channel, and none for streaming calls.
    public var timeout: Duration?
    /// The most times that a call is sent, hedges included. At least 1, which turns retries and
    /// hedges off; nil, the default: as the channel's `retry` says.
    public var maxAttempts: Int?
    /// Whether the calls may be sent again after a server may have processed them, as if each had the
    /// option `isIdempotent`. Default false.
    public var isIdempotent = false
    /// When a second attempt of an idempotent call is sent to another server, where there are several:
    /// before the first has ended. The reply that comes first counts, the other attempt is cancelled.
    /// The channel's retry budget limits hedges, too; streaming calls have none. Of `maxHedges` one is
    /// sent at most. nil, the default: no hedges. See docs/decisions/0007.
    public var hedging: HedgePolicy?

    /// No difference.
    public init() {}
}

/// The policy of one method of a channel, with what the channel has learned of the method. Any thread.
final class MethodPolicy: Sendable {
    let name: [UInt8]
    let nameHash: UInt64
    let policy: RPCMethodPolicy
    /// The times of its calls; nil: they are not hedged. The channel's loop uses it, and the policies
    /// that a reload replaces these by: nobody waits for the lock.
    private let times: Locked<HedgeDelay?>

    init(_ name: String, _ policy: RPCMethodPolicy) {
        let bytes = [UInt8](name.utf8)
        self.name = bytes
        // SAFETY: the array lives, unchanged, until the hash is made.
        nameHash = byteHash(unsafe bytes.span.bytes)
        self.policy = policy
        times = Locked(policy.hedging.map { HedgeDelay($0) })
    }

    /// Whether its idempotent calls are hedged.
    var isHedged: Bool { policy.hedging != nil }

    /// After which time an idempotent call is hedged; nil: it is not.
    ///
    /// - Parameter remaining: until the deadline of the call.
    func hedgeDelay(remaining: Duration) -> Duration? {
        times.withLock { $0?.delay(isIdempotent: true, remaining: remaining) }
    }

    /// Records how long a call took that succeeded, from its first attempt on.
    func record(nanoseconds: UInt64) { times.withLock { $0?.record(nanoseconds: nanoseconds) } }

    /// Takes over what another policy has learned, which hedges in the same way.
    fileprivate func adoptTimes(of old: MethodPolicy) {
        if old.policy.hedging != policy.hedging { return }
        let learned = old.times.withLock { $0 }
        times.withLock { $0 = learned }
    }
}

/// The policies of a channel, found by the methods. Constant; any thread.
final class MethodPolicies: Sendable {
    /// By the hash of the name: open addressing with linear probing, at most half full.
    private let buckets: [MethodPolicy?]

    /// nil where there are none.
    init?(_ policies: [String: RPCMethodPolicy]) {
        if policies.isEmpty { return nil }
        var count = 4
        while count < 2 * policies.count { count *= 2 }
        var buckets = [MethodPolicy?](repeating: nil, count: count)
        for (name, policy) in policies.sorted(by: { $0.key < $1.key }) {
            let made = MethodPolicy(name, policy)
            var index = Int(truncatingIfNeeded: made.nameHash) & (count - 1)
            while buckets[index] != nil { index = (index + 1) & (count - 1) }
            buckets[index] = made
        }
        self.buckets = buckets
    }

    /// The policy of a method; nil: it has none.
    func find(_ method: ErasedMethod) -> MethodPolicy? { find(method.methodName, method.nameHash) }

    private func find(_ name: [UInt8], _ hash: UInt64) -> MethodPolicy? {
        var index = Int(truncatingIfNeeded: hash) & (buckets.count - 1)
        while let policy = buckets[index] {
            if policy.nameHash == hash, policy.name == name { return policy }
            index = (index + 1) & (buckets.count - 1)
        }
        return nil
    }

    /// Takes over the times of methods that are hedged as before.
    func adoptTimes(of old: MethodPolicies?) {
        guard let old, old !== self else { return }
        for case let policy? in buckets {
            if let last = old.find(policy.name, policy.nameHash) { policy.adoptTimes(of: last) }
        }
    }
}
