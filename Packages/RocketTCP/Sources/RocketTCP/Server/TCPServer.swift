public import RocketBase
@_spi(Simulation) public import RocketReactor
import RocketSystem
import Synchronization

/// A server: listens, accepts on its main loop and distributes the connections to its sub loops in
/// turn.
///
/// Any thread may create, start and end it. Each connection and its handler are bound to one sub
/// loop. The creator owns the loops; they must outlive the server, or what is open then is closed
/// as the loops end.
public final class TCPServer: Sendable {
    private enum Acceptor {
        case none, open(LoopBound<ConnectionAcceptor>), closed
    }

    private let context: ServerContext
    private let mainLoop: EventLoop
    private let loops: [EventLoop]
    private let acceptor = Locked(Acceptor.none)

    /// Creates a server. It does not listen before `start`.
    ///
    /// - Parameters:
    ///   - subLoops: the loops of the connections; empty: the main loop.
    ///   - makeHandler: called on a connection's loop, once for each connection.
    public init(
        configuration: TCPServerConfiguration, mainLoop: EventLoop, subLoops: [EventLoop],
        logger: RocketLogger = .disabled,
        makeHandler: @escaping @Sendable (Reactor) -> any TCPConnectionHandler
    ) {
        context = ServerContext(configuration, logger: logger, makeHandler: makeHandler)
        self.mainLoop = mainLoop
        loops = subLoops.isEmpty ? [mainLoop] : subLoops
        configuration.budget.add(loops)
    }

    /// Opens all listeners, or none. Peers can connect once this has returned.
    ///
    /// On another thread than the main loop's it blocks until that loop accepts, so a thread must
    /// drive the loop.
    ///
    /// - Returns: the addresses of the listeners, in the order of the configuration, ports
    ///   resolved; adopted ones are last.
    /// - Throws: `TCPListenError` for the first listener that can't be opened, or that the loop
    ///   can't watch.
    public func start() throws(TCPListenError) -> [NetAddress] {
        let sockets = try openListeners()
        let outcome = onMainLoop { self.accept(from: sockets, on: $0) }
        guard let outcome else {
            for socket in sockets { socket.close() }
            throw TCPListenError(
                address: sockets.first?.address.description ?? "nothing",
                cause: SystemError("the event loop has ended", .cancelled))
        }
        try outcome.get()
        return sockets.map(\.address)
    }

    private func openListeners() throws(TCPListenError) -> [ListeningSocket.Released] {
        let configuration = context.configuration
        var opened: [ListeningSocket.Released] = []
        do throws(TCPListenError) {
            let adoptsNone = configuration.adoptedDescriptors.isEmpty
            for address in adoptsNone ? configuration.listen : [] {
                let socket = try ListeningSocket.open(
                    address, configuration, network: mainLoop.simulatedNetwork,
                    logger: context.logger)
                let security = configuration.security.security(
                    of: socket.address, configured: address)
                opened.append(socket.release(security))
            }
            for raw in configuration.adoptedDescriptors {
                if opened.contains(where: { $0.socket.raw == raw }) {
                    throw TCPListenError(
                        address: "descriptor \(raw)",
                        cause: SystemError("it is passed twice", .invalid))
                }
                let socket = try ListeningSocket.adopt(raw, configuration)
                let security = configuration.security.security(
                    of: socket.address, configured: nil)
                opened.append(socket.release(security))
            }
        } catch {
            for socket in opened { socket.close() }
            throw error
        }
        return opened
    }

    private func accept(
        from sockets: [ListeningSocket.Released], on reactor: Reactor
    ) -> Result<Void, TCPListenError> {
        let made = ConnectionAcceptor(loops: loops, context: context, on: reactor)
        do { try made.open(sockets) } catch { return .failure(error) }
        let bound = LoopBound(made, on: reactor)
        // Stopped before the loop ran this: the listeners close.
        let isLate = acceptor.withLock { acceptor in
            if case .closed = acceptor { return true }
            acceptor = .open(bound)
            return false
        }
        if isLate { made.close() }
        return .success(())
    }

    /// Runs `body` on the main loop and waits for its result; nil when the loop has ended.
    private func onMainLoop<R: Sendable>(_ body: @escaping @Sendable (Reactor) -> R) -> R? {
        if mainLoop.isInLoop { return mainLoop.withReactor(body) }
        let result = Locked<R?>(nil)
        let isDone = FutexWord()
        let isAccepted = mainLoop.execute { reactor in
            let value = body(reactor)
            result.withLock { $0 = value }
            isDone.exchange(1)
            isDone.wakeAll()
        }
        if !isAccepted { return nil }
        while isDone.value == 0 { isDone.wait(while: 0, atMost: nil) }
        return result.withLock { $0 }
    }

    /// The number of open connections, those on their way to a loop included. Any thread.
    public var connectionCount: Int { context.limiter.connections }

    /// Bytes of memory that all connections hold now: their buffers, and what their handlers have
    /// set as `TCPConnection.handlerBytes`. Any thread.
    public var bufferedBytes: Int { context.limiter.heldBytes }

    /// The connections, the limits on them, and what those have refused. Any thread.
    public var connectionCounts: ConnectionCounts {
        var counts = context.limiter.status
        counts.moved = context.movedConnections
        return counts
    }

    /// Closes the listeners and all connections at once. Returns before that is done.
    public func stop() {
        context.advance(to: .stopped)
        closeAcceptor {}
        closeAll(.stopped)
    }

    /// Closes the listeners, calls the handlers' `draining`, and waits until all connections are
    /// closed. After `limit` it calls `drainTimedOut` of the remaining ones, and closes what is open
    /// a second later; with a limit of zero it closes them at once. Returns when no connection is
    /// open.
    public func drain(within limit: Duration) async {
        await withCheckedContinuation { continuation in
            drain(within: limit) { continuation.resume() }
        }
    }

    /// Drains as `drain(within:)` does, without waiting.
    ///
    /// - Parameter done: called once, when no connection is open, on any thread.
    public func drain(within limit: Duration, _ done: @escaping @Sendable () -> Void) {
        context.advance(to: .draining)
        let (context, loops) = (context, loops)
        closeAcceptor {
            for loop in loops {
                loop.execute {
                    for connection in context.connections(on: $0) { connection.drain() }
                }
            }
            self.whenEmpty(orAfter: limit) {
                context.advance(to: .stopped)
                if limit > .zero { self.timeOut() } else { self.closeAll(.drained) }
                context.limiter.whenEmpty(done)
            }
        }
    }

    /// How long connections may take after the drain's time to say what did not end.
    private static let lastWordsTime = Duration.seconds(1)

    /// Calls the handlers' `drainTimedOut`, and closes what is open when its time is up.
    private func timeOut() {
        let context = context
        for loop in loops {
            loop.execute { reactor in
                let open = context.connections(on: reactor)
                for connection in open { connection.drainTimedOut() }
                if open.isEmpty { return }
                // A timer of this loop: also a busy one has flushed their output before.
                reactor.schedule(after: Self.lastWordsTime, label: "drain") {
                    for connection in context.connections(on: $0) {
                        connection.close(.now, reason: .drained)
                    }
                }
            }
        }
    }

    /// Without a main loop there is no time limit: if it has ended, `body` runs at once.
    private func whenEmpty(orAfter limit: Duration, _ body: @escaping @Sendable () -> Void) {
        let isDone = OnceFlag()
        let once: @Sendable () -> Void = { if isDone.tryAcquire() { body() } }
        let isAccepted = mainLoop.execute { reactor in
            let timeout = DrainTimeout(limit, on: reactor, once)
            let bound = LoopBound(timeout, on: reactor)
            self.context.limiter.whenEmpty {
                once()
                bound.loop.execute { _ in bound.get().end() }
            }
        }
        if !isAccepted { once() }
    }

    private func closeAcceptor(_ done: @escaping @Sendable () -> Void) {
        let isAccepted = mainLoop.execute { _ in
            let open = self.acceptor.withLock { acceptor -> LoopBound<ConnectionAcceptor>? in
                defer { acceptor = .closed }
                if case .open(let bound) = acceptor { return bound }
                return nil
            }
            open?.get().close()
            done()
        }
        if !isAccepted { done() }
    }

    private func closeAll(_ reason: CloseReason) {
        let context = context
        for loop in loops {
            loop.execute {
                for connection in context.connections(on: $0) {
                    connection.close(.now, reason: reason)
                }
            }
        }
    }
}

/// Ends a drain after its time limit, or when the loop of its timer ends. Bound to that loop.
private final class DrainTimeout: LoopEndHandler {
    private let expired: @Sendable () -> Void
    private var timer: ScheduledTimer?
    private let reactor: Reactor

    init(_ limit: Duration, on reactor: Reactor, _ expired: @escaping @Sendable () -> Void) {
        self.expired = expired
        self.reactor = reactor
        timer = reactor.schedule(after: limit, label: "drain") { [weak self] _ in
            self?.expired()
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
        expired()
        end()
    }
}

/// A flag that can be acquired once. Any thread.
private final class OnceFlag: Sendable {
    private let isUsed = Atomic(false)
    /// Returns true on the first call only.
    func tryAcquire() -> Bool { !isUsed.exchange(true, ordering: .acquiringAndReleasing) }
}
