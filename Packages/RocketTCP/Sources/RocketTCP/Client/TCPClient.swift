public import RocketBase
@_spi(Simulation) public import RocketReactor
@_spi(Simulation) import RocketSystem

/// Connects to peers.
public enum TCPClient {
    /// Connects without blocking to the first of `addresses` that answers; the families alternate.
    /// Called on the loop that the connection will be bound to.
    ///
    /// - Parameters:
    ///   - timeout: the time limit for all addresses together, with their handshakes.
    ///   - attemptDelay: how long an address may be silent before the next one is tried beside it
    ///     (RFC 8305): 10 ms to 2 s, clamped.
    ///   - security: what protects the connection; nil: nothing. An address whose handshake fails
    ///     counts as one that does not answer.
    ///   - host: the name that the addresses were looked up by, for `security`; nil: the text of the
    ///     IP address.
    ///   - handler: of the new connection; its `connected` is called first.
    ///   - completion: called once, after the handler's `connected`, at the end of a tick or of a
    ///     handshake; never inside this function.
    /// - Returns: a handle for cancelling. The operation continues without it.
    @discardableResult
    public static func connect(
        to addresses: [NetAddress], on reactor: Reactor, timeout: Duration,
        attemptDelay: Duration = .milliseconds(250),
        configuration: TCPConnectionConfiguration = TCPConnectionConfiguration(),
        security: (any ClientTransportSecurity)? = nil, host: String? = nil,
        handler: any TCPConnectionHandler,
        completion: @escaping (Result<TCPConnection, ConnectError>) -> Void
    ) -> ConnectOperation {
        let operation = ConnectOperation(
            ConnectRace(addresses, attemptDelay: attemptDelay),
            group: ConnectionGroup(configuration),
            security: security.map { ConnectOperation.Security($0, host) }, handler: handler,
            on: reactor, completion: completion)
        operation.begin(timeout: timeout)
        return operation
    }
}

/// Connects to the first of several addresses that answers: tries the next address when one fails
/// or does not answer soon. Bound to its loop; created by `TCPClient`.
public final class ConnectOperation {
    private var race: ConnectRace
    private let group: ConnectionGroup
    private let security: Security?
    private let reactor: Reactor
    private var handler: (any TCPConnectionHandler)?
    private var completion: ((Result<TCPConnection, ConnectError>) -> Void)?
    private var attempts: [ConnectAttempt] = []
    private var stagger: ScheduledTimer?
    private var deadline: ScheduledTimer?
    /// The connection that has won the race.
    private var winner: TCPConnection?
    private var result: Result<TCPConnection, ConnectError>?

    fileprivate struct Security {
        private let security: any ClientTransportSecurity
        private let host: String?

        init(_ security: any ClientTransportSecurity, _ host: String?) {
            self.security = security
            self.host = host
        }

        func session(to address: NetAddress) throws(TransportSecurityError) -> ConnectionSecurity {
            // Certificates have addresses without a scope.
            let own = address.isUnix ? nil : address.host.prefix { $0 != "%" }
            let name = host ?? own.map { String($0) }
            return ConnectionSecurity(try security.connectSession(to: name))
        }
    }

    fileprivate init(
        _ race: ConnectRace, group: ConnectionGroup, security: Security?,
        handler: any TCPConnectionHandler, on reactor: Reactor,
        completion: @escaping (Result<TCPConnection, ConnectError>) -> Void
    ) {
        self.race = race
        self.group = group
        self.security = security
        self.handler = handler
        self.reactor = reactor
        self.completion = completion
    }

    /// Cancels the operation: `completion` gets `cancelled`, as it does when the loop ends. Without
    /// effect once the operation has ended.
    public func cancel() { finish(.failure(ConnectError(.cancelled, attempts: summary))) }

    fileprivate func begin(timeout: Duration) {
        LoopConnections.of(reactor).began(self)
        deadline = reactor.schedule(after: timeout, label: "connect deadline") { _ in
            self.finish(.failure(ConnectError(.timedOut, attempts: self.summary)))
        }
        handle(.start)
    }

    private func handle(_ event: ConnectRace.Event) {
        var actions = race.handle(event, at: reactor.now)[...]
        while let action = actions.popFirst() {
            switch action {
            case .begin(let index):
                if let event = begin(index) { actions += race.handle(event, at: reactor.now) }
            case .wait(let until):
                stagger?.cancel()
                stagger = reactor.schedule(at: until, label: "next address") { _ in
                    self.handle(.waited)
                }
            case .stopWaiting:
                stagger?.cancel()
                stagger = nil
            case .cancel(let index): attempts[index].cancel()
            case .win: if let winner { finish(.success(winner)) }
            case .lose: finish(.failure(ConnectError(attempts: summary)))
            }
        }
    }

    /// Begins an attempt. Returns its outcome if it is known at once.
    private func begin(_ index: Int) -> ConnectRace.Event? {
        let attempt = ConnectAttempt(race.addresses[index]) { attempt, outcome in
            self.handle(self.settle(index, attempt, outcome))
        }
        attempts.append(attempt)
        return attempt.begin(group.configuration, on: reactor).map { settle(index, attempt, $0) }
    }

    /// Takes the outcome of an attempt, and begins the handshake.
    private func settle(
        _ index: Int, _ attempt: ConnectAttempt, _ outcome: ConnectAttempt.Outcome
    ) -> ConnectRace.Event {
        guard result == nil, case .connected = outcome, let socket = attempt.takeSocket(),
            let handler
        else { return .failed(index) }
        do throws(TransportSecurityError) {
            let session = try security?.session(to: attempt.address)
            let connection = TCPConnection(
                socket, peer: attempt.address, group: group, handler: handler, on: reactor,
                security: session)
            guard let session else {
                winner = connection
                return .succeeded(index)
            }
            session.handshakeEnded = { self.handshakeEnded(index, attempt, $0, $1) }
            attempt.secure(connection)
            return attempt.hasFailed ? .failed(index) : .progressed(index)
        } catch {
            attempt.insecurity = .insecure(error)
            return .failed(index)
        }
    }

    /// Takes the outcome of a handshake, on the tick in which it has ended.
    private func handshakeEnded(
        _ index: Int, _ attempt: ConnectAttempt, _ connection: TCPConnection,
        _ reason: CloseReason?
    ) {
        if result != nil { return }
        if let reason {
            attempt.insecurity = reason
            return handle(.failed(index))
        }
        attempt.secured()
        winner = connection
        handle(.succeeded(index))
        report()
    }

    private var summary: [ConnectError.Attempt] {
        attempts.map {
            ConnectError.Attempt(
                address: $0.address, error: $0.error, handshake: $0.insecurity)
        }
    }

    /// Ends the operation. The result is reported at the end of the tick: never inside `connect` or
    /// `cancel`.
    private func finish(_ result: Result<TCPConnection, ConnectError>) {
        if self.result != nil { return }
        self.result = result
        deadline?.cancel()
        // Also ends what goes on when the caller or the deadline has ended the operation.
        handle(.cancelled)
        reactor.observeTickEnd(self)
    }
}

extension ConnectOperation: TickEndHandler {
    /// Reports the result. Called by the reactor.
    public func tickEnding(on reactor: Reactor) {
        if case .success(let connection)? = result, connection.security == nil {
            do {
                try connection.start()
            } catch {
                let attempt = ConnectError.Attempt(
                    address: connection.peerAddress, error: error)
                result = .failure(ConnectError(.failed, attempts: [attempt]))
            }
        }
        report()
    }

    private func report() {
        guard let result, let completion = completion.take() else { return }
        LoopConnections.of(reactor).ended(self)
        handler = nil
        winner = nil
        completion(result)
        attempts = []
    }
}

/// One non-blocking connect to one address. Bound to its loop.
private final class ConnectAttempt: IOHandler {
    enum Outcome {
        case connected
        case failed(SystemError)
    }

    let address: NetAddress
    private(set) var error: SystemError?
    /// Why the handshake has failed.
    var insecurity: CloseReason?
    private var socket: Socket?
    private var registration: Registration?
    /// The connection whose handshake goes on.
    private var connection: TCPConnection?
    private let ended: (ConnectAttempt, Outcome) -> Void

    /// - Parameter ended: called later, unless `begin` returns the outcome.
    init(_ address: NetAddress, ended: @escaping (ConnectAttempt, Outcome) -> Void) {
        self.address = address
        self.ended = ended
    }

    /// Begins to connect. Returns the outcome if it is known at once.
    func begin(_ configuration: TCPConnectionConfiguration, on reactor: Reactor) -> Outcome? {
        do {
            let socket = try Socket(for: address.socketAddress, in: reactor.simulatedNetwork)
            try configuration.apply(to: socket, address)
            switch try socket.connect(to: address.socketAddress) {
            case .connected: return settled(socket, nil)
            case .inProgress:
                registration = try reactor.register(
                    socket, interest: .write, label: "connect", handler: self)
                self.socket = consume socket
                return nil
            }
        } catch {
            self.error = error
            return .failed(error)
        }
    }

    func ready(_ events: IOEvents, on reactor: Reactor) {
        registration?.cancel()
        registration = nil
        guard let socket = socket.take() else { return }
        let failure = socket.socketError().map { SystemError("connect", $0) }
        ended(self, settled(socket, failure))
    }

    /// Keeps the socket only if it is connected to another one.
    private func settled(_ socket: consuming Socket, _ failure: SystemError?) -> Outcome {
        error = failure
        if error == nil, !address.isUnix, let own = try? socket.localAddress(),
            own == address.socketAddress
        {
            // The kernel may choose, for this end, the very port of this machine that no process
            // listens on: TCP then connects the socket to itself.
            error = SystemError("connect", .connectionRefused)
        }
        if let error { return .failed(error) }
        self.socket = consume socket
        return .connected
    }

    var hasFailed: Bool { error != nil || insecurity != nil }

    /// Returns the connected socket, once.
    func takeSocket() -> Socket? { socket.take() }

    /// Begins the handshake.
    func secure(_ connection: TCPConnection) {
        self.connection = connection
        do throws(SystemError) { try connection.start() } catch { self.error = error }
    }

    /// The connection is for its handler now.
    func secured() { connection = nil }

    func cancel() {
        registration?.cancel()
        registration = nil
        socket = nil
        connection?.close(.now)
        connection = nil
    }
}
