public import RocketBase
public import RocketReactor
public import RocketTCP

/// A client of core NATS: publishes and subscribes over one connection, which is established again
/// whenever it ends, at the next server of the cluster. Bound to its loop, which retains it until it is
/// stopped; every function is for the thread of that loop only, and none blocks. The end of its loop
/// stops it.
///
/// Delivery is at most once, as that of core NATS: what is published while there is no connection, or
/// while too much waits to be sent, is not taken (`NATSPublishOutcome`), and what was taken may be lost
/// with the connection. The client keeps no queue of its own for what it receives: messages are
/// handled as they are read, and while a loop has no time the server's buffer fills, at whose limit the
/// server ends the connection ("Slow Consumer").
///
/// A server that is about to shut down ("lame duck mode") says so: then another one is connected to, and
/// replaces it once it is ready. What arrives in the moment of the change may be lost.
public final class NATSClient {
    /// Events for the owner, on the loop.
    public enum Event {
        /// A server has taken the credentials and all subscriptions; publishing is possible. Without
        /// `down` before: it replaces one that is about to shut down.
        case connected(NATSServerInfo)
        /// The connection has ended, or an attempt to connect has failed. The next attempt begins after
        /// `retryAfter`, at the next server.
        case down(PersistentConnection.Loss, wasConnected: Bool, retryAfter: Duration)
        /// The server refuses something (`-ERR`), such as a subscription without permission. Where it
        /// ends the connection for it, `down` follows.
        case serverError(String)
        /// `stop` has taken effect, and no connection is open. Last, exactly once.
        case stopped
    }

    /// Handles a message: the offsets of its parts, and the bytes that they count in, which are valid
    /// until it returns. It may use the client.
    public typealias Handler = (NATSMessage, RawSpan) -> Void

    let reactor: Reactor
    let configuration: NATSConfiguration
    private let observe: (Event) -> Void
    private var pool: NATSServerPool
    private var link: NATSLink?
    /// To the server that is to replace one that is about to shut down, until it is ready.
    private var successor: NATSLink?
    /// Links that have not stopped.
    private var openLinks = 0
    private var session: NATSSession? { link?.session }
    private var subscriptions = NATSSubscriptions()
    /// Why the last connection ended, if the server has said so.
    private var lastServerError: String?
    private(set) var isReadingPaused = false

    /// The most subscriptions of a client.
    public static let maxSubscriptions = 65_536

    /// Counters since the client was made.
    public internal(set) var statistics = NATSStatistics()

    /// What the server of the connection last said of itself; nil: there is no connection.
    public var serverInfo: NATSServerInfo? { isConnected ? session?.info : nil }

    /// Whether a server has taken the credentials, and the connection is open.
    public var isConnected: Bool { session?.isReady ?? false }

    /// Bytes that wait to be sent.
    public var pendingBytes: Int { session?.connection?.pendingBytes ?? 0 }

    /// The servers in the order of the attempts to connect, those that a server has named included.
    public var servers: [NATSServer] { pool.servers }

    /// Creates a client on its loop. It does not connect before `start`.
    ///
    /// - Parameter observe: called for each event, never inside `start` or `stop`.
    /// - Throws: if the configuration has no server, or a name without a lookup.
    public init(
        _ configuration: NATSConfiguration, on reactor: Reactor,
        observe: @escaping (Event) -> Void
    ) throws(NATSConfigurationError) {
        if configuration.servers.isEmpty { throw NATSConfigurationError("there is no server") }
        for case .host(let host) in configuration.servers where configuration.lookup == nil {
            throw NATSConfigurationError("\(host) has to be looked up, and there is no lookup")
        }
        self.reactor = reactor
        self.configuration = configuration
        self.observe = observe
        pool = NATSServerPool(configuration.servers, limit: configuration.maxServers)
    }

    /// Begins to connect. A second call, or one after `stop`, has no effect.
    public func start() {
        if link != nil { return }
        link = makeLink()
        link?.start()
    }

    private func makeLink() -> NATSLink {
        openLinks += 1
        return NATSLink(of: self, nextTarget: nextTarget) { self.handle($1, of: $0) }
    }

    /// Stops it for good: what was published is sent first. No handler is called any more.
    public func stop() {
        if link == nil { start() }
        successor?.stop(.now)
        link?.stop()
    }

    /// Stops reading from the server, until `resumeReading`: for owners that can't keep up. The
    /// server's buffer fills meanwhile; at its limit (`max_pending`, 64 MiB) the server ends the
    /// connection, and what waited in it is lost.
    public func pauseReading() {
        isReadingPaused = true
        session?.connection?.pauseReading()
    }

    /// Goes on reading.
    public func resumeReading() {
        isReadingPaused = false
        session?.connection?.resumeReading()
    }

    // MARK: Subscriptions

    /// Subscribes, now and on each later connection.
    ///
    /// - Parameters:
    ///   - subject: may have wildcards.
    ///   - queueGroup: of the subscriptions of one group each message is delivered to one only. Empty,
    ///     the default: none.
    ///   - handler: called for each message, with its bytes.
    /// - Throws: for a group with a blank, and beyond `maxSubscriptions`.
    @discardableResult
    public func subscribe(
        _ subject: NATSSubject, queueGroup: String = "", handler: @escaping Handler
    ) throws(NATSConfigurationError) -> NATSSubscription {
        if !queueGroup.isEmpty { _ = try NATSSubject(queueGroup) }
        guard subscriptions.count < Self.maxSubscriptions else {
            throw NATSConfigurationError(
                "a client has \(Self.maxSubscriptions) subscriptions at most")
        }
        let added = subscriptions.add(subject, Array(queueGroup.utf8), handler)
        session?.subscribe(added)
        successor?.session?.subscribe(added)
        return NATSSubscription(id: added.id)
    }

    /// Ends a subscription: its handler is not called any more. Again: without effect.
    public func unsubscribe(_ subscription: NATSSubscription) {
        guard subscriptions.remove(subscription.id) else { return }
        session?.unsubscribe(subscription.id)
        successor?.session?.unsubscribe(subscription.id)
    }

    /// All subscriptions, for a new connection.
    var allSubscriptions: [NATSSubscriptions.Entry] { subscriptions.all }

    func deliver(_ message: NATSMessage, in bytes: RawSpan) {
        statistics.receivedMessages += 1
        statistics.receivedBytes += UInt64(message.payload.count)
        // A message may still arrive for a subscription that was ended.
        subscriptions.handler(of: message.subscription)?(message, bytes)
    }

    // MARK: Publishing

    /// Publishes what `body` writes, in place, into what is sent at the end of the tick.
    ///
    /// - Parameters:
    ///   - subject: without wildcards.
    ///   - reply: where replies are expected, without wildcards; nil, the default: nowhere.
    ///   - byteCount: what `body` appends, exactly.
    /// - Returns: whether it was taken; `body` is called only then.
    @discardableResult
    public func publish(
        _ subject: NATSSubject, reply: NATSSubject? = nil, byteCount: Int,
        _ body: (inout ByteBuffer) -> Void
    ) -> NATSPublishOutcome {
        precondition(
            !subject.hasWildcards && reply?.hasWildcards != true,
            "NATSClient: published to a subject with wildcards")
        guard let session, session.isReady, let connection = session.connection else {
            return refuse(.notConnected)
        }
        let limit = session.info.maxPayloadBytes
        if byteCount > limit { return refuse(.tooLarge(limit: limit)) }
        let replyBytes = reply?.utf8 ?? []
        let size = NATSCommand.publishBytes + subject.utf8.count + replyBytes.count + byteCount
        if connection.pendingBytes + size > configuration.maxPendingBytes { return refuse(.full) }
        connection.write { output in
            NATSCommand.publish(
                subject.utf8, reply: replyBytes, byteCount: byteCount, to: &output)
            let start = output.readableBytes
            body(&output)
            precondition(
                output.readableBytes - start == byteCount,
                "NATSClient: published another number of bytes than announced")
            NATSCommand.endLine(&output)
        }
        statistics.publishedMessages += 1
        statistics.publishedBytes += UInt64(byteCount)
        return .taken
    }

    /// Publishes a copy of `payload`.
    ///
    /// - Returns: whether it was taken.
    @discardableResult
    public func publish(
        _ subject: NATSSubject, reply: NATSSubject? = nil, _ payload: RawSpan
    ) -> NATSPublishOutcome {
        publish(subject, reply: reply, byteCount: payload.byteCount) { $0.append(payload) }
    }

    private func refuse(_ outcome: NATSPublishOutcome) -> NATSPublishOutcome {
        statistics.count(outcome)
        return outcome
    }

    /// Sends a `PING`.
    ///
    /// - Parameter completion: called once: with true when its `PONG` has arrived, so that the server
    ///   has processed what was sent before, subscriptions included; with false when the connection ends
    ///   before, or, inside this function, where there is none.
    public func roundTrip(_ completion: @escaping (Bool) -> Void) {
        guard let session, session.isReady else { return completion(false) }
        session.ping(completion)
    }

    // MARK: The connection

    private func nextTarget() -> PersistentConnection.Target {
        switch pool.next() {
        case .address(let address): return .addresses([address])
        case .host(let host):
            guard let lookup = configuration.lookup else { return .addresses([]) }
            return .host(host, lookup)
        }
    }

    private func handle(_ event: PersistentConnection.Event, of source: NATSLink) {
        switch event {
        case .up: break
        case .down(let loss, let wait):
            if source === link {
                lost(source, loss, wait)
            } else if source === successor {
                statistics.failures += 1
            }
        case .stopped:
            openLinks -= 1
            if openLinks == 0 { observe(.stopped) }
        }
    }

    private func lost(_ lost: NATSLink, _ loss: PersistentConnection.Loss, _ wait: Duration) {
        let wasConnected = lost.session?.wasReady ?? false
        if wasConnected { statistics.lostConnections += 1 } else { statistics.failures += 1 }
        var wait = wait
        if let next = successor.take() {
            link = next
            lost.stop(.now)
            wait = .zero
        }
        observe(.down(explained(loss), wasConnected: wasConnected, retryAfter: wait))
        lastServerError = nil
    }

    /// The reason of a server that has ended the connection is what it has said before.
    private func explained(_ loss: PersistentConnection.Loss) -> PersistentConnection.Loss {
        guard let lastServerError, case .closed(let reason) = loss else { return loss }
        switch reason {
        case .peerFinished, .peerReset:
            return .closed(.rejected("the NATS server says: \(lastServerError)"))
        default: return loss
        }
    }

    /// The server has answered the first `PING`.
    func ready(_ session: NATSSession, _ info: NATSServerInfo) {
        statistics.connections += 1
        if let next = successor, next.session === session {
            successor = nil
            link?.stop()
            link = next
        }
        if isReadingPaused { session.connection?.pauseReading() }
        observe(.connected(info))
    }

    func infoChanged(_ session: NATSSession, _ info: NATSServerInfo) {
        if configuration.discoversServers, !info.clusterServers.isEmpty {
            pool.update(info.clusterServers)
        }
        guard info.isShuttingDown, session === self.session, session.isReady, successor == nil,
            servers.count > 1
        else { return }
        successor = makeLink()
        successor?.start()
    }

    func serverError(_ text: String) {
        statistics.serverErrors += 1
        lastServerError = text
        observe(.serverError(text))
    }
}
