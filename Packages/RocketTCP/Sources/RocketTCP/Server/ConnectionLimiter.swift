import RocketSystem
import Synchronization

/// A server's books: how many connections it has, from whom, and what they buffer together.
/// Any thread; written at connect and close, and when buffered bytes change between events.
final class ConnectionLimiter: Sendable {
    enum Verdict: Equatable { case admitted, full, peerHasTooMany }

    private struct Books {
        var connections = 0
        var byPeer: [String: Int] = [:]
        var whenEmpty: [@Sendable () -> Void] = []
        /// Told once when there is room again.
        var whenRoom: (@Sendable () -> Void)?
    }

    private let books = Locked(Books())
    private let buffered = Atomic<Int>(0)
    private let closing = Atomic<Bool>(false)
    let limit: Int
    let limitPerPeer: Int?
    let bufferLimitBytes: Int

    init(limit: Int, limitPerPeer: Int?, bufferLimitBytes: Int) {
        self.limit = limit
        self.limitPerPeer = limitPerPeer
        self.bufferLimitBytes = bufferLimitBytes
    }

    var connections: Int { books.withLock { $0.connections } }
    var bufferedBytes: Int { buffered.load(ordering: .relaxed) }

    /// No connection is admitted any more; those on their way to a loop are closed there.
    var isClosing: Bool {
        get { closing.load(ordering: .relaxed) }
        set { closing.store(newValue, ordering: .relaxed) }
    }

    func admit(_ peer: NetAddress) -> Verdict {
        let key = limitPerPeer == nil ? nil : Self.key(peer)
        return books.withLock { books in
            if books.connections >= limit { return .full }
            if let key, let limitPerPeer {
                let held = books.byPeer[key, default: 0]
                if held >= limitPerPeer { return .peerHasTooMany }
                books.byPeer[key] = held + 1
            }
            books.connections += 1
            return .admitted
        }
    }

    func release(_ peer: NetAddress) {
        let key = limitPerPeer == nil ? nil : Self.key(peer)
        let told = books.withLock { books -> [@Sendable () -> Void] in
            books.connections -= 1
            if let key {
                let left = books.byPeer[key, default: 1] - 1
                books.byPeer[key] = left == 0 ? nil : left
            }
            var told: [@Sendable () -> Void] = []
            if let whenRoom = books.whenRoom {
                books.whenRoom = nil
                told.append(whenRoom)
            }
            if books.connections == 0 {
                told += books.whenEmpty
                books.whenEmpty = []
            }
            return told
        }
        for tell in told { tell() }
    }

    /// Runs `body` once no connection is left, on the thread that closes the last; now if none is.
    func whenEmpty(_ body: @escaping @Sendable () -> Void) {
        let now = books.withLock { books in
            if books.connections > 0 { books.whenEmpty.append(body) }
            return books.connections == 0
        }
        if now { body() }
    }

    /// Runs `body` once when a connection ends; at once if there is room already.
    func whenRoom(_ body: @escaping @Sendable () -> Void) {
        let now = books.withLock { books in
            if books.connections >= limit { books.whenRoom = body }
            return books.connections < limit
        }
        if now { body() }
    }

    /// Buffers grew or shrank. False when they are over the limit now and grew.
    func account(_ delta: Int) -> Bool {
        let total = buffered.add(delta, ordering: .relaxed).newValue
        return delta <= 0 || total <= bufferLimitBytes
    }

    /// A peer is its host; Unix peers are all one.
    private static func key(_ peer: NetAddress) -> String { peer.isUnix ? "unix" : peer.host }
}
