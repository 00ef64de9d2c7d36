public import RocketReactor
import RocketSystem

/// Connecting to the first of several addresses that answers. Bound to its loop; made by
/// `TCPClient`. The next address is tried when one fails, or is slow to answer.
public final class ConnectOperation {
    private let addresses: [NetAddress]
    private let owner: ConnectionGroup
    private let reactor: Reactor
    private var handler: (any TCPConnectionHandler)?
    private var completion: ((Result<TCPConnection, ConnectError>) -> Void)?
    private var attempts: [ConnectAttempt] = []
    private var stagger: ScheduledTimer?
    private var deadline: ScheduledTimer?
    private var result: Result<TCPConnection, ConnectError>?

    /// How long an address may be silent before the next is tried beside it (RFC 8305).
    static let staggerDelay = Duration.milliseconds(250)

    init(
        to addresses: [NetAddress], owner: ConnectionGroup, handler: any TCPConnectionHandler,
        on reactor: Reactor,
        completion: @escaping (Result<TCPConnection, ConnectError>) -> Void
    ) {
        self.addresses = AddressInterleaving.interleaved(addresses)
        self.owner = owner
        self.handler = handler
        self.reactor = reactor
        self.completion = completion
    }

    /// Gives up; `completion` hears `cancelled`, as it does when the loop ends. Without effect once
    /// it is over.
    public func cancel() { finish(.failure(ConnectError(.cancelled, attempts: summary))) }

    func begin(timeout: Duration) {
        LoopConnections.of(reactor).began(self)
        deadline = reactor.schedule(after: timeout, label: "connect deadline") { _ in
            self.finish(.failure(ConnectError(.timedOut, attempts: self.summary)))
        }
        tryNext()
    }

    private func tryNext() {
        stagger?.cancel()
        stagger = nil
        while result == nil, attempts.count < addresses.count {
            let attempt = ConnectAttempt(addresses[attempts.count]) { attempt, outcome in
                if self.settle(attempt, outcome) { self.tryNext() }
            }
            attempts.append(attempt)
            guard let outcome = attempt.begin(owner.configuration, on: reactor) else {
                return waitForNext()
            }
            if !settle(attempt, outcome) { return }
        }
        if result == nil, attempts.allSatisfy({ $0.error != nil }) {
            finish(.failure(ConnectError(attempts: summary)))
        }
    }

    private func waitForNext() {
        if attempts.count == addresses.count { return }
        stagger = reactor.schedule(after: Self.staggerDelay, label: "next address") { _ in
            self.tryNext()
        }
    }

    /// True when the next address should be tried.
    private func settle(_ attempt: ConnectAttempt, _ outcome: ConnectAttempt.Outcome) -> Bool {
        guard result == nil else { return false }
        guard case .connected = outcome, let descriptor = attempt.takeDescriptor(), let handler
        else { return true }
        let connection = TCPConnection(
            descriptor, peer: attempt.address, owner: owner, handler: handler, on: reactor)
        finish(.success(connection))
        return false
    }

    private var summary: [ConnectError.Attempt] {
        attempts.map { ConnectError.Attempt(address: $0.address, error: $0.error) }
    }

    /// The result is told at the tick's end: never inside `connect` or `cancel`.
    private func finish(_ result: Result<TCPConnection, ConnectError>) {
        if self.result != nil { return }
        self.result = result
        stagger?.cancel()
        deadline?.cancel()
        for attempt in attempts { attempt.cancel() }
        reactor.observeTickEnd(self)
    }
}

extension ConnectOperation: TickEndHandler {
    /// Tells the result.
    public func tickEnding(on reactor: Reactor) {
        guard let result, let completion else { return }
        LoopConnections.of(reactor).ended(self)
        self.completion = nil
        handler = nil
        if case .success(let connection) = result { connection.start() }
        completion(result)
        attempts = []
    }
}
