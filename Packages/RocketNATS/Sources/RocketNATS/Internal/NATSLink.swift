import RocketReactor
import RocketTCP

/// Connections of a client, one after another: each to the next server of its pool. Bound to the loop, which
/// retains it until it has stopped.
final class NATSLink {
    /// Of the connection, from the begin of an attempt.
    private(set) var session: NATSSession?
    private var link: PersistentConnection?

    /// - Parameter observe: called for each event; the session is that of before the event.
    init(
        of client: NATSClient, nextTarget: @escaping () -> PersistentConnection.Target,
        observe: @escaping (NATSLink, PersistentConnection.Event) -> Void
    ) {
        link = PersistentConnection(
            toEach: nextTarget, on: client.reactor,
            configuration: PersistentConnectionConfiguration(client.configuration),
            makeHandler: { _ in
                let session = NATSSession(client)
                self.session = session
                return session
            },
            observe: { event in
                observe(self, event)
                switch event {
                case .up: break
                case .down, .stopped: self.session = nil
                }
            })
    }

    func start() { link?.start() }

    /// Takes nothing more from the server, and closes the connection.
    func stop(_ how: TCPConnection.Closing = .afterFlush) {
        session?.stop()
        link?.stop(how)
    }
}

extension PersistentConnectionConfiguration {
    fileprivate init(_ configuration: NATSConfiguration) {
        self.init()
        connectTimeout = configuration.connectTimeout
        backOff = configuration.backOff
        steadyAfter = configuration.steadyAfter
        security = configuration.security.map { NATSUpgrade(security: $0) }
        // The client bounds its output itself; a server that waits for us to read must not make us
        // wait for it.
        connection.readsAboveHighWater = true
        connection.handshakeTimeout = configuration.connectTimeout
        connection.inputLimitBytes =
            min(max(0, configuration.maxMessageBytes), 64 << 20) + NATSCodec.maxInfoBytes
            + (1 << 20)
        connection.outputLimitBytes = max(0, configuration.maxPendingBytes) + (64 << 20)
    }
}
