import RocketSystem
import Synchronization

/// Counts a server's connections, also per peer, and the bytes that they buffer together, and
/// compares them with the limits. Any thread. Updated at connect and close, and when buffered bytes
/// change between events.
final class ConnectionLimiter: Sendable {
    enum Verdict: Equatable { case admitted, full, peerHasTooMany }

    private struct Counts {
        var connections = 0
        var byPeer: [String: Int] = [:]
        /// Run once no connection is left.
        var whenEmpty: [@Sendable () -> Void] = []
        /// Run once when a connection has ended.
        var whenRoom: (@Sendable () -> Void)?
    }

    private let counts = Locked(Counts())
    private let buffered = Atomic<Int>(0)
    let limit: Int
    private let limitPerPeer: Int?
    private let bufferLimitBytes: Int

    init(limit: Int, limitPerPeer: Int?, bufferLimitBytes: Int) {
        self.limit = limit
        self.limitPerPeer = limitPerPeer
        self.bufferLimitBytes = bufferLimitBytes
    }

    var connections: Int { counts.withLock { $0.connections } }
    var bufferedBytes: Int { buffered.load(ordering: .relaxed) }

    /// Counts one connection more, unless a limit is reached.
    func admit(_ peer: NetAddress) -> Verdict {
        let key = limitPerPeer == nil ? nil : Self.key(peer)
        return counts.withLock { counts in
            if counts.connections >= limit { return .full }
            if let key, let limitPerPeer {
                let held = counts.byPeer[key, default: 0]
                if held >= limitPerPeer { return .peerHasTooMany }
                counts.byPeer[key] = held + 1
            }
            counts.connections += 1
            return .admitted
        }
    }

    /// Counts one connection less, and runs what waited for that.
    func release(_ peer: NetAddress) {
        let key = limitPerPeer == nil ? nil : Self.key(peer)
        let waiting = counts.withLock { counts -> [@Sendable () -> Void] in
            counts.connections -= 1
            if let key {
                let left = counts.byPeer[key, default: 1] - 1
                counts.byPeer[key] = left == 0 ? nil : left
            }
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

    /// Records that buffers grew or shrank by `delta` bytes. Returns false when they have grown and
    /// exceed the limit.
    func recordBytes(_ delta: Int) -> Bool {
        let total = buffered.add(delta, ordering: .relaxed).newValue
        return delta <= 0 || total <= bufferLimitBytes
    }

    /// A peer is identified by its host; all Unix peers count as one.
    private static func key(_ peer: NetAddress) -> String { peer.isUnix ? "unix" : peer.host }
}
