import RocketBase
public import RocketReactor
import RocketSystem

/// A client's one connection, made anew whenever it ends, until it is stopped.
///
/// Each attempt has a time limit, and between attempts it waits by a `BackOff`. Every connection
/// gets a handler of its own, so nothing of an earlier stream is mixed into the next. Bound to its
/// loop; it lives until it is stopped, kept or not. Its loop's end stops it.
public final class PersistentConnection {
    private let target: Target
    private let reactor: Reactor
    private let configuration: PersistentConnectionConfiguration
    /// Both are let go of once it has stopped: they may refer to whoever holds this.
    private var makeHandler: ((Reactor) -> any TCPConnectionHandler)?
    private var observe: ((Event) -> Void)?
    private var state: PersistentConnectionState
    private var random = SystemRandomNumberGenerator()
    private var closing = TCPConnection.Closing.afterFlush
    private var operation: ConnectOperation?
    private var timer: ScheduledTimer?
    /// Lookups that come back after their attempt was over are told by it.
    private var attempt = 0

    /// The connection, while one is up.
    public private(set) var connection: TCPConnection?

    /// Attempts that failed since the last connection that lasted.
    public var failures: Int { state.backOff.failures }

    /// On the loop that it is to live on. Nothing happens before `start`.
    ///
    /// - Parameters:
    ///   - makeHandler: for each connection.
    ///   - observe: later, never inside `start` or `stop`. It may stop this.
    public init(
        to target: Target, on reactor: Reactor,
        configuration: PersistentConnectionConfiguration = PersistentConnectionConfiguration(),
        makeHandler: @escaping (Reactor) -> any TCPConnectionHandler,
        observe: @escaping (Event) -> Void
    ) {
        self.target = target
        self.reactor = reactor
        self.configuration = configuration
        self.makeHandler = makeHandler
        self.observe = observe
        state = PersistentConnectionState(
            backOff: configuration.backOff, steadyAfter: configuration.steadyAfter)
    }

    /// Begins to connect. Again, or after `stop`: without effect.
    public func start() {
        if state.phase == .new { reactor.observeLoopEnd(self) }
        handle(.start)
    }

    /// Ends it for good: the attempt or the wait at once, a connection as `how` says. `observe`
    /// hears `.stopped` when nothing is left. Again: only `.now` after `.afterFlush` has an effect.
    public func stop(_ how: TCPConnection.Closing = .afterFlush) {
        closing = how
        if state.phase == .stopping { connection?.close(how) }
        handle(.stop)
    }

    private func handle(_ event: PersistentConnectionState.Event, _ loss: Loss? = nil) {
        switch state.handle(event, at: reactor.now, using: &random) {
        case .nothing: return
        case .connect: attemptNow()
        case .tellUp: if let connection { observe?(.up(connection)) }
        case .tellDown(let wait): down(loss, wait)
        case .cancelAttempt:
            // Without one the name is still being looked up: nobody waits for that.
            guard let operation else { return settleLater() }
            operation.cancel()
        case .settle: settleLater()
        case .closeConnection: connection?.close(closing)
        case .tellStopped:
            reactor.stopObservingLoopEnd(self)
            makeHandler = nil
            let last = observe.take()
            last?(.stopped)
        }
    }

    private func settleLater() {
        endAttempt()
        reactor.observeTickEnd(self)
    }

    private func down(_ loss: Loss?, _ wait: Duration) {
        timer = reactor.schedule(after: wait, label: "reconnect") { _ in self.handle(.waited) }
        if let loss { observe?(.down(loss, retryAfter: wait)) }
    }

    // MARK: One attempt

    private func attemptNow() {
        timer = nil
        attempt += 1
        switch target {
        case .addresses(let addresses): connect(to: addresses, configuration.connectTimeout)
        case .host(let host, let resolver): lookUp(host, resolver)
        }
    }

    private func lookUp(_ host: HostPort, _ resolver: NameResolver) {
        let number = attempt
        let deadline = reactor.now + configuration.connectTimeout
        let home = LoopBound(self, on: reactor)
        let refusal = resolver.resolve(host, on: reactor.loop) { reactor, result in
            let this = home.get()
            guard this.attempt == number else { return }
            this.timer?.cancel()
            switch result {
            case .success(let addresses): this.connect(to: addresses, deadline - reactor.now)
            case .failure(let error): this.failed(.lookup(error))
            }
        }
        timer = reactor.schedule(
            at: refusal == nil ? deadline : reactor.now, label: "lookup deadline"
        ) { _ in
            self.failed(
                refusal.map { .lookup($0) } ?? .connect(ConnectError(.timedOut, attempts: [])))
        }
    }

    private func connect(to addresses: [NetAddress], _ timeout: Duration) {
        guard let makeHandler else { return }
        let handler = WatchedHandler(makeHandler(reactor)) { [self] reason in
            connection = nil
            handle(.lost, .closed(reason))
        }
        operation = TCPClient.connect(
            to: addresses, on: reactor, timeout: timeout, configuration: configuration.connection,
            handler: handler
        ) { [self] result in
            switch result {
            case .success(let made):
                operation = nil
                connection = made
                handle(.connected)
            case .failure(let error): failed(.connect(error))
            }
        }
    }

    private func failed(_ loss: Loss) {
        endAttempt()
        handle(.failed, loss)
    }

    private func endAttempt() {
        attempt += 1
        operation = nil
        timer?.cancel()
        timer = nil
    }
}

extension PersistentConnection: TickEndHandler, LoopEndHandler {
    /// As `stop(.now)`.
    public func loopEnding(on reactor: Reactor) { stop(.now) }

    /// The end of what `stop` cut short.
    public func tickEnding(on reactor: Reactor) { handle(.settled) }
}

/// Passes everything on, and tells of the end afterwards.
private final class WatchedHandler: TCPConnectionHandler {
    private let inner: any TCPConnectionHandler
    private let ended: (CloseReason) -> Void

    init(_ inner: any TCPConnectionHandler, ended: @escaping (CloseReason) -> Void) {
        self.inner = inner
        self.ended = ended
    }

    func connected(_ connection: TCPConnection) { inner.connected(connection) }
    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        inner.received(connection, &input)
    }
    func inputEnded(_ connection: TCPConnection) { inner.inputEnded(connection) }
    func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        inner.writabilityChanged(connection, isWritable: isWritable)
    }
    func draining(_ connection: TCPConnection) { inner.draining(connection) }
    func closed(_ connection: TCPConnection, reason: CloseReason) {
        inner.closed(connection, reason: reason)
        ended(reason)
    }
}
