import RocketSystem
import Synchronization

/// Counts a server's connections, also per peer, and compares them with the limits. Any thread.
/// Updated at connect and close.
final class ConnectionLimiter: Sendable {
    enum Verdict: Equatable { case admitted, full, peerHasTooMany }

    private struct Counts {
        var connections = 0
        var byPeer: [PeerKey: Int] = [:]
        var most = 0
        var refused = 0
        var refusedOfPeers = 0
        /// Run once no connection is left.
        var whenEmpty: [@Sendable () -> Void] = []
        /// Run once when a connection has ended.
        var whenRoom: (@Sendable () -> Void)?
    }

    private let counts = Locked(Counts())
    private let held = Atomic<Int>(0)
    let limit: Int
    let limitPerPeer: Int
    let budget: ByteBudget

    /// The share of one peer where nothing else is configured, and the least that it is.
    private static let peerShare = 4
    private static let leastPerPeer = 16

    init(limit: Int, limitPerPeer: Int?, budget: ByteBudget) {
        self.limit = limit
        self.limitPerPeer =
            limitPerPeer.map { max(1, $0) } ?? max(Self.leastPerPeer, limit / Self.peerShare)
        self.budget = budget
    }

    var connections: Int { counts.withLock { $0.connections } }
    var heldBytes: Int { held.load(ordering: .relaxed) }

    /// The connections, and what the limits have refused.
    var status: ConnectionCounts {
        counts.withLock {
            ConnectionCounts(
                open: $0.connections, most: $0.most, limit: limit, limitPerPeer: limitPerPeer,
                refused: $0.refused, refusedOfPeers: $0.refusedOfPeers)
        }
    }

    /// Counts one connection more, unless a limit is reached.
    func admit(_ peer: NetAddress) -> Verdict {
        let key = PeerKey(peer)
        return counts.withLock { counts in
            if counts.connections >= limit {
                counts.refused += 1
                return .full
            }
            let held = counts.byPeer[key, default: 0]
            if held >= limitPerPeer {
                counts.refusedOfPeers += 1
                return .peerHasTooMany
            }
            counts.byPeer[key] = held + 1
            counts.connections += 1
            counts.most = max(counts.most, counts.connections)
            return .admitted
        }
    }

    /// Counts one connection less, and runs what waited for that.
    func release(_ peer: NetAddress) {
        let key = PeerKey(peer)
        let waiting = counts.withLock { counts -> [@Sendable () -> Void] in
            counts.connections -= 1
            let left = counts.byPeer[key, default: 1] - 1
            counts.byPeer[key] = left == 0 ? nil : left
            var waiting: [@Sendable () -> Void] = []
            if let whenRoom = counts.whenRoom {
                counts.whenRoom = nil
                waiting.append(whenRoom)
            }
            if counts.connections == 0 {
                waiting += counts.whenEmpty
                counts.whenEmpty = []
            }
            return waiting
        }
        for body in waiting { body() }
    }

    /// Runs `body` once no connection is left, on the thread that closes the last one; at once if
    /// there is none.
    func whenEmpty(_ body: @escaping @Sendable () -> Void) {
        let now = counts.withLock { counts in
            if counts.connections > 0 { counts.whenEmpty.append(body) }
            return counts.connections == 0
        }
        if now { body() }
    }

    /// Runs `body` once when a connection ends; at once if there is room already. Replaces an
    /// earlier one that has not run.
    func whenRoom(_ body: @escaping @Sendable () -> Void) {
        let now = counts.withLock { counts in
            if counts.connections >= limit { counts.whenRoom = body }
            return counts.connections < limit
        }
        if now { body() }
    }

    /// Records that connections hold `delta` bytes more, here and in the budget. Returns false when
    /// the budget's ceiling is exceeded.
    func recordBytes(_ delta: Int) -> Bool {
        held.wrappingAdd(delta, ordering: .relaxed)
        return budget.recordConnections(delta)
    }
}

/// The connections of a server, its limits on them, and how often these have refused one since it was
/// created. A value.
public struct ConnectionCounts: Hashable, Sendable {
    /// Those that are open now, or on their way to a loop.
    public var open: Int
    /// The most that were open at the same time.
    public var most: Int
    /// The most that may be; nil: unknown.
    public var limit: Int?
    /// The most that one peer may have; nil: unknown.
    public var limitPerPeer: Int?
    /// Connections that were refused since `limit` was reached.
    public var refused: Int
    /// Connections that were refused since their peer had `limitPerPeer`.
    public var refusedOfPeers: Int
    /// How often a connection has moved to another loop.
    public var moved = 0

    /// Creates the counts of a server.
    public init(
        open: Int, most: Int = 0, limit: Int? = nil, limitPerPeer: Int? = nil, refused: Int = 0,
        refusedOfPeers: Int = 0
    ) {
        self.open = open
        self.most = most
        self.limit = limit
        self.limitPerPeer = limitPerPeer
        self.refused = refused
        self.refusedOfPeers = refusedOfPeers
    }
}

/// Who counts as one peer. A value.
enum PeerKey: Hashable {
    case ipv4(UInt32)
    /// An IPv6 host can use all addresses of its network of 64 bits.
    case network(UInt64)
    /// An address that is valid on one link only: all hosts of the link share its first 64 bits.
    case linkLocal(UInt64, scope: UInt32)
    /// All peers of Unix sockets.
    case unix

    init(_ peer: NetAddress) {
        switch peer.socketAddress {
        case .ipv4(let bits, _): self = .ipv4(bits)
        case .ipv6(let high, let low, _, let scope):
            self = high >> 54 == 0x3FA ? .linkLocal(low, scope: scope) : .network(high)
        case .unix, .abstract, .unnamed: self = .unix
        }
    }
}
