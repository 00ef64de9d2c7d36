public import RocketBalancing
import RocketBase

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

// SAFETY: constant, except for the delay, which is used on the channel's loop only, and set before
// the policy is handed over to that.

/// The policy of one method of a channel, with what the channel has learned of the method.
final class MethodPolicy: @unchecked Sendable {
    let name: [UInt8]
    let nameHash: UInt64
    let policy: RPCMethodPolicy
    /// The times of its calls; nil: they are not hedged. Bound to the channel's loop.
    var hedgeDelay: HedgeDelay?

    init(_ name: String, _ policy: RPCMethodPolicy) {
        let bytes = [UInt8](name.utf8)
        self.name = bytes
        // SAFETY: the array lives, unchanged, until the hash is made.
        nameHash = byteHash(unsafe bytes.span.bytes)
        self.policy = policy
        hedgeDelay = policy.hedging.map { HedgeDelay($0) }
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

    /// Takes over the times of methods that are hedged as before. On the channel's loop.
    func adoptTimes(of old: MethodPolicies?) {
        guard let old, old !== self else { return }
        for case let policy? in buckets {
            guard let last = old.find(policy.name, policy.nameHash),
                last.policy.hedging == policy.policy.hedging
            else { continue }
            policy.hedgeDelay = last.hedgeDelay
        }
    }
}
