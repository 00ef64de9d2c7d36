public import RocketBase
public import RocketReactor
import RocketSystem
import Synchronization

/// Listens, accepts on its main loop and spreads the connections over its sub loops in turn.
///
/// Made, started and ended from any thread; each connection and its handler live on one sub loop.
/// The loops belong to whoever made them, and have to outlive the server's end.
public final class TCPServer: Sendable {
    private enum Desk {
        case none, open(LoopBound<ConnectionAcceptor>), closed
    }

    private let shop: ServerContext
    private let mainLoop: EventLoop
    private let loops: [EventLoop]
    private let desk = Locked(Desk.none)

    /// - Parameters:
    ///   - subLoops: where the connections live; empty: on the main loop.
    ///   - makeHandler: runs on a connection's loop, once for each.
    public init(
        configuration: TCPServerConfiguration, mainLoop: EventLoop, subLoops: [EventLoop],
        logger: RocketLogger = .disabled,
        makeHandler: @escaping @Sendable (Reactor) -> any TCPConnectionHandler
    ) {
        shop = ServerContext(configuration, logger: logger, makeHandler: makeHandler)
        self.mainLoop = mainLoop
        loops = subLoops.isEmpty ? [mainLoop] : subLoops
    }

    /// Opens all listeners, or none. From its return on peers can connect.
    ///
    /// - Returns: where it listens, in the configuration's order, ports resolved; adopted ones
    ///   come last.
    /// - Throws: `TCPListenError` for the first that failed.
    public func start() throws(TCPListenError) -> [NetAddress] {
        let configuration = shop.configuration
        var opened: [ListeningSocket.Parcel] = []
        do {
            for address in configuration.listen {
                opened.append(try ListeningSocket.open(address, configuration).release())
            }
            for raw in configuration.adoptedDescriptors {
                opened.append(try ListeningSocket.adopt(raw, configuration).release())
            }
        } catch {
            for socket in opened { _ = FileDescriptor(owning: socket.raw) }
            throw error
        }
        let (sockets, shop, loops) = (opened, shop, loops)
        let isAccepted = mainLoop.execute { reactor in
            let made = ConnectionAcceptor(loops: loops, shop: shop, on: reactor)
            for socket in sockets { made.open(ListeningSocket(socket)) }
            let bound = LoopBound(made, on: reactor)
            // Stopped before the loop came to it: the descriptors just close.
            let isLate = self.desk.withLock { desk in
                if case .closed = desk { return true }
                desk = .open(bound)
                return false
            }
            if isLate { made.close() }
        }
        if !isAccepted { for socket in sockets { _ = FileDescriptor(owning: socket.raw) } }
        return sockets.map(\.address)
    }

    /// Connections open now, those on their way to a loop included. Any thread.
    public var connectionCount: Int { shop.ledger.connections }

    /// Bytes that all connections hold now. Any thread.
    public var bufferedBytes: Int { shop.ledger.bufferedBytes }

    /// Closes the listeners and all connections at once. Returns before it is done.
    public func stop() {
        shop.phase = .stopped
        closeDesk {}
        closeAll(.stopped)
    }

    /// Takes no more connections, tells the handlers to finish, and waits until all connections
    /// are closed; what is left after `limit` is closed then. Returns when nothing is open.
    public func drain(within limit: Duration) async {
        await withCheckedContinuation { continuation in
            drain(within: limit) { continuation.resume() }
        }
    }

    /// As `drain(within:)`, for those who can't wait.
    ///
    /// - Parameter done: once, when nothing is open, on any thread.
    public func drain(within limit: Duration, _ done: @escaping @Sendable () -> Void) {
        if shop.phase == .open { shop.phase = .draining }
        let (shop, loops) = (shop, loops)
        closeDesk {
            for loop in loops {
                loop.execute { for connection in shop.connections(on: $0) { connection.drain() } }
            }
            self.whenEmpty(orAfter: limit) {
                shop.phase = .stopped
                self.closeAll(.drained)
                shop.ledger.whenEmpty(done)
            }
        }
    }

    /// A main loop that has ended counts no time: what is open is not waited for then.
    private func whenEmpty(orAfter limit: Duration, _ body: @escaping @Sendable () -> Void) {
        let isDone = OneTime()
        let once: @Sendable () -> Void = { if isDone.first() { body() } }
        let isAccepted = mainLoop.execute { reactor in
            let patience = DrainTimeout(limit, on: reactor, once)
            let bound = LoopBound(patience, on: reactor)
            self.shop.ledger.whenEmpty {
                once()
                bound.loop.execute { _ in bound.get().end() }
            }
        }
        if !isAccepted { once() }
    }

    private func closeDesk(_ done: @escaping @Sendable () -> Void) {
        let isAccepted = mainLoop.execute { _ in
            let open = self.desk.withLock { desk -> LoopBound<ConnectionAcceptor>? in
                defer { desk = .closed }
                if case .open(let bound) = desk { return bound }
                return nil
            }
            open?.get().close()
            done()
        }
        if !isAccepted { done() }
    }

    private func closeAll(_ reason: CloseReason) {
        let shop = shop
        for loop in loops {
            loop.execute {
                for connection in shop.connections(on: $0) {
                    connection.close(.now, reason: reason)
                }
            }
        }
    }
}

/// The bound of a drain: its time, or the end of the loop that counts it.
private final class DrainTimeout: LoopEndHandler {
    private let over: @Sendable () -> Void
    private var timer: ScheduledTimer?
    private let reactor: Reactor

    init(_ limit: Duration, on reactor: Reactor, _ over: @escaping @Sendable () -> Void) {
        self.over = over
        self.reactor = reactor
        timer = reactor.schedule(after: limit, label: "drain") { [weak self] _ in
            self?.over()
            self?.end()
        }
        reactor.observeLoopEnd(self)
    }

    func end() {
        timer?.cancel()
        timer = nil
        reactor.stopObservingLoopEnd(self)
    }

    func loopEnding(on reactor: Reactor) {
        over()
        end()
    }
}

/// Says true once.
private final class OneTime: Sendable {
    private let isUsed = Atomic(false)
    func first() -> Bool { !isUsed.exchange(true, ordering: .acquiringAndReleasing) }
}
