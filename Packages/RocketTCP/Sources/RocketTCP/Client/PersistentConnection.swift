import RocketBase
public import RocketReactor
import RocketSystem

/// A client's connection that is established again whenever it ends, until it is stopped.
///
/// Each attempt has a time limit; the waits between attempts follow a `BackOff`. Each connection
/// has a new handler, so that no part of an earlier stream is mixed into the next. Bound to its
/// loop, which retains it until it is stopped. The end of its loop stops it.
public final class PersistentConnection {
    /// Of the attempt that goes on, or the last one.
    private var target: Target?
    private let reactor: Reactor
    private let configuration: PersistentConnectionConfiguration
    // All three are released once it has stopped: they may refer to the owner of this object.
    private var nextTarget: (() -> Target)?
    private var makeHandler: ((Reactor) -> any TCPConnectionHandler)?
    private var observe: ((Event) -> Void)?
    private var state: PersistentConnectionState
    private var random: LoopRandom
    private var closing = TCPConnection.Closing.afterFlush
    private var operation: ConnectOperation?
    private var timer: ScheduledTimer?
    private var endLookup: (() -> Void)?
    /// Increased with each attempt, so that late lookups of earlier attempts are recognised.
    private var attempt = 0

    /// The connection; nil while none is established.
    public private(set) var connection: TCPConnection?

    /// Failed attempts since the last connection that lasted for `steadyAfter`.
    public var failures: Int { state.backOff.failures }

    /// Creates it on its loop. It does not connect before `start`.
    ///
    /// - Parameters:
    ///   - makeHandler: called for each connection.
    ///   - observe: called for each event, never inside `start` or `stop`. It may call `stop`.
    public convenience init(
        to target: Target, on reactor: Reactor,
        configuration: PersistentConnectionConfiguration = PersistentConnectionConfiguration(),
        makeHandler: @escaping (Reactor) -> any TCPConnectionHandler,
        observe: @escaping (Event) -> Void
    ) {
        self.init(
            toEach: { target }, on: reactor, configuration: configuration,
            makeHandler: makeHandler, observe: observe)
    }

    /// Creates one that chooses its peer anew for each attempt, on its loop.
    ///
    /// - Parameters:
    ///   - nextTarget: called at the begin of each attempt.
    ///   - makeHandler: called for each connection.
    ///   - observe: as of the other initializer.
    public init(
        toEach nextTarget: @escaping () -> Target, on reactor: Reactor,
        configuration: PersistentConnectionConfiguration = PersistentConnectionConfiguration(),
        makeHandler: @escaping (Reactor) -> any TCPConnectionHandler,
        observe: @escaping (Event) -> Void
    ) {
        self.nextTarget = nextTarget
        self.reactor = reactor
        random = reactor.random
        self.configuration = configuration
        self.makeHandler = makeHandler
        self.observe = observe
        state = PersistentConnectionState(
            backOff: configuration.backOff, steadyAfter: configuration.steadyAfter)
    }

    /// Begins to connect. A second call, or one after `stop`, has no effect.
    public func start() {
        if state.phase == .new { reactor.observeLoopEnd(self) }
        handle(.start)
    }

    /// Stops it for good: an attempt or a wait ends at once, a connection is closed by `how`. Then
    /// `observe` gets `.stopped`. A second call has an effect only with `.now` after `.afterFlush`.
    public func stop(_ how: TCPConnection.Closing = .afterFlush) {
        closing = how
        if state.phase == .stopping { connection?.close(how) }
        handle(.stop)
    }

    private func handle(_ event: PersistentConnectionState.Event, _ loss: Loss? = nil) {
        switch state.handle(event, at: reactor.now, using: &random) {
        case .nothing: return
        case .connect: attemptNow()
        case .notifyUp: if let connection { observe?(.up(connection)) }
        case .notifyDown(let wait): down(loss, wait)
        case .cancelAttempt:
            // Without an operation the name is being looked up; its result will be ignored.
            guard let operation else { return settleLater() }
            operation.cancel()
        case .settle: settleLater()
        case .closeConnection: connection?.close(closing)
        case .notifyStopped:
            reactor.stopObservingLoopEnd(self)
            nextTarget = nil
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
        target = nextTarget?()
        switch target {
        case nil: return
        case .addresses(let addresses)?: connect(to: addresses, configuration.connectTimeout)
        case .host(let host, let lookup)?: lookUp(host, lookup)
        }
    }

    private func lookUp(_ host: HostPort, _ lookup: any HostLookup) {
        let number = attempt
        let deadline = reactor.now + configuration.connectTimeout
        timer = reactor.schedule(at: deadline, label: "lookup deadline") { _ in
            self.failed(.connect(ConnectError(.timedOut, attempts: [])))
        }
        endLookup = lookup.addresses(of: host, on: reactor) { [self] result in
            guard attempt == number else { return }
            endLookup = nil
            timer?.cancel()
            switch result {
            case .success(let addresses): connect(to: addresses, deadline - reactor.now)
            case .failure(let error): failed(.lookup(error))
            }
        }
    }

    private func connect(to addresses: [NetAddress], _ timeout: Duration) {
        guard let makeHandler else { return }
        let handler = ForwardingHandler(makeHandler(reactor)) { [self] reason in
            connection = nil
            handle(.lost, .closed(reason))
        }
        var name: String?
        if case .host(let host, _)? = target { name = host.host }
        operation = TCPClient.connect(
            to: addresses, on: reactor, timeout: timeout, configuration: configuration.connection,
            security: configuration.security, host: name, handler: handler
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
        endLookup.take()?()
        timer?.cancel()
        timer = nil
    }
}

extension PersistentConnection: TickEndHandler, LoopEndHandler {
    /// Stops as `stop(.now)` does.
    public func loopEnding(on reactor: Reactor) { stop(.now) }

    /// Reports that nothing is left of what `stop` ended.
    public func tickEnding(on reactor: Reactor) { handle(.settled) }
}

/// Forwards all events to another handler, and reports the end afterwards.
private final class ForwardingHandler: TCPConnectionHandler {
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
