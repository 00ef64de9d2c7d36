import RocketBalancing
import RocketBase
import RocketSystem
import RocketTCP

/// How many calls each caller of a server makes: one token bucket per caller, in shards with a lock
/// each. Any thread.
///
/// Shared by the loops: with a bucket per loop, a caller would have as many times its rate as its
/// connections are on loops. The lock is taken only where a rate is configured, and calls of
/// different callers rarely meet at one.
final class CallerRates: Sendable {
    private static let shardCount = 16

    private final class Shard: Sendable {
        let limiter = Locked<RateLimiter?>(nil)
    }

    private struct Rate: Hashable {
        var callsPerSecond = 0
        var burst = 0
        var maxCallers = 0
    }

    private let shards = (0..<shardCount).map { _ in Shard() }
    private let rate = Locked(Rate())

    /// Adopts the rates of a server's limits. A changed rate begins with full buckets.
    func update(_ limits: RPCCallLimits) {
        let new = Rate(
            callsPerSecond: max(0, limits.callsPerSecond),
            burst: max(1, limits.callBurst > 0 ? limits.callBurst : limits.callsPerSecond),
            maxCallers: max(1, limits.maxCallers / Self.shardCount))
        rate.withLock { old in
            if old == new { return }
            old = new
            for shard in shards {
                shard.limiter.withLock {
                    $0 =
                        new.callsPerSecond == 0
                        ? nil
                        : RateLimiter(
                            callsPerSecond: Double(new.callsPerSecond), burst: new.burst,
                            maxKeys: new.maxCallers)
                }
            }
        }
    }

    /// Returns whether a call of the caller may begin now, which then counts.
    func admits(_ caller: CallerKey, now: MonotonicTime) -> Bool {
        shards[caller.hash & (Self.shardCount - 1)].limiter.withLock { limiter in
            unsafe limiter?.admits(caller.text, at: &caller.place, now: now) ?? true
        }
    }

    /// The callers that are remembered.
    var callerCount: Int {
        shards.reduce(0) { $0 + $1.limiter.withLock { $0?.keyCount ?? 0 } }
    }
}

/// Who counts as one caller: what it has proved, or else its address. Made once per connection and
/// token, and bound to the connection's loop.
final class CallerKey {
    /// Those of the call that it was made for.
    let peers: ConnectionPeers
    let text: String
    let hash: Int
    /// Where its bucket was when it made its last call.
    // SAFETY: bound to the loop, and nothing that runs inside an access uses the object.
    @exclusivity(unchecked) fileprivate var place = -1

    init(_ peers: ConnectionPeers) {
        self.peers = peers
        text = Self.text(of: peers)
        let bytes = [UInt8](text.utf8)
        // Callers that choose their names meet in one shard at worst.
        // SAFETY: the array lives, unchanged, until the hash is computed.
        hash = Int(truncatingIfNeeded: byteHash(unsafe bytes.span.bytes))
    }

    private static func text(of peers: ConnectionPeers) -> String {
        if let token = peers.token { return "token:\(token.subject)" }
        switch peers.identity {
        case .certificate(let certificate):
            // Names outlive a certificate, whose fingerprint changes when it is renewed.
            return certificate.uris.first.map { "uri:\($0)" }
                ?? certificate.dnsNames.first.map { "dns:\($0)" }
                ?? "subject:\(certificate.subject)"
        case .unix(let process): return "uid:\(process.userID)"
        case .none: break
        }
        switch peers.peer.socketAddress {
        // An IPv6 host can use all addresses of its network of 64 bits.
        case .ipv6(let high, let low, _, let scope):
            return high >> 54 == 0x3FA ? "link:\(low)%\(scope)" : "network:\(high)"
        default: return "ip:\(peers.peer.host)"
        }
    }
}
