public import RocketBase
import RocketSystem
public import RocketTCP
public import ServiceLifecycle

/// The page of a running server, its metrics and its state for probes, over HTTP/1.1 on an address of
/// its own: docs/guides/admin.md. It has one thread (libmicrohttpd's); what it shows is collected from
/// the loops a few times a second at most, and nothing on a call's way waits for it.
///
/// A ServiceLifecycle `Service`: stands before its server in a list of services, so that it still
/// answers while that drains.
///
///     let admin = try AdminServer(AdminConfiguration(address: address), source)
///     try await daemon.run([admin, server], …)
public final class AdminServer: Service {
    private let configuration: AdminConfiguration
    private let router: AdminRouter
    private let logger: RocketLogger
    private let listening = AsyncEvent()
    private let bound = Locked<NetAddress?>(nil)

    /// - Parameters:
    ///   - source: what it is about.
    ///   - logger: receives its address at INFO, changes of the log's level at WARN, and faults of
    ///     peers at DEBUG.
    public convenience init(
        _ configuration: AdminConfiguration, _ source: AdminSource, logger: RocketLogger = .disabled
    ) {
        self.init(configuration, source, logger: logger, time: SystemTimeSource())
    }

    init(
        _ configuration: AdminConfiguration, _ source: AdminSource, logger: RocketLogger,
        time: any TimeSource
    ) {
        self.configuration = configuration
        self.logger = logger
        router = AdminRouter(
            source, cache: SnapshotCache(source, time: time, validity: configuration.validity),
            policy: RequestPolicy(
                way: configuration.address.isUnix
                    ? .unix : configuration.access == nil ? .loopback : .tls,
                isWritable: configuration.isWritable),
            recordings: CallRecordings(
                source.server, isAllowed: configuration.allowsRecording,
                alwaysMasked: configuration.alwaysMasked, time: time, logger: logger),
            logger: logger, time: time)
    }

    /// The address that it listens on, with the port that the kernel has chosen. Suspends until it
    /// listens; nil: it never did.
    public var boundAddress: NetAddress? {
        get async {
            await listening.wait()
            return bound.withLock { $0 }
        }
    }

    /// Serves until the program shuts down or the task is cancelled.
    ///
    /// - Throws: `AdminError` if the address can't be listened on, or the thread can't be created.
    public func run() async throws {
        defer { listening.fire() }
        if let access = configuration.access { return try await run(access) }
        let groupID = try configuration.group.map(Self.groupID)
        let socket: AdminSocket
        do throws(SystemError) {
            socket = try AdminSocket.open(configuration.address, groupID: groupID)
        } catch {
            throw AdminError(
                text: "the page can't listen on \(configuration.address) (admin/listen): \(error)",
                errno: error.errno)
        }
        let address = socket.address
        let (descriptor, file) = socket.release()
        defer { file?.remove() }
        let server = try start(on: descriptor, groupID: groupID)
        announce(address)
        await keepTime(of: server)
        server.stop()
    }

    private func announce(_ address: NetAddress) {
        bound.withLock { $0 = address }
        listening.fire()
        logger.info("admin page") { $0.add("address", address.description) }
    }

    private static func groupID(_ name: String) throws(AdminError) -> UInt32 {
        do throws(SystemError) {
            if let id = try UserGroup.id(of: name) { return id }
        } catch {
            throw AdminError(text: "admin/group: \(error)", errno: error.errno)
        }
        throw AdminError(
            text: "admin/group: there is no group '\(name)': name one of /etc/group, or its number",
            errno: nil)
    }

    private func start(on descriptor: Int32, groupID: UInt32?) throws(AdminError)
        -> MicrohttpdServer
    {
        let peers = PeerPolicy(ownUID: UserAccount.effectiveUID, groupID: groupID)
        let isUnix = configuration.address.isUnix
        return try start(on: descriptor, isUnix: isUnix) { [router, logger] exchange in
            if isUnix, !Self.isAllowed(exchange, peers, logger) {
                return exchange.answer(.text(Self.forbidden, status: 403))
            }
            router.answer(exchange)
        }
    }

    /// - Parameter descriptor: nil: connections are added.
    func start(
        on descriptor: Int32?, isUnix: Bool, handle: @escaping @Sendable (HTTPExchange) -> Void
    ) throws(AdminError) -> MicrohttpdServer {
        var limits = MicrohttpdServer.Limits()
        limits.maxConnections = configuration.maxConnections
        limits.maxConnectionsPerPeer = configuration.maxConnectionsPerPeer
        limits.requestTimeout = configuration.requestTimeout
        limits.headerBytes = configuration.maxHeaderBytes
        do throws(SystemError) {
            return try MicrohttpdServer(
                listeningOn: descriptor, isUnix: isUnix, limits,
                log: { [logger] text in
                    logger.debug("admin page: fault of a peer") { $0.add("detail", text) }
                }, handle: handle)
        } catch {
            throw AdminError(text: "the page's thread can't start: \(error)", errno: error.errno)
        }
    }

    private static let forbidden =
        "You may not look at this page: only root and the user of the server may, and the members of "
        + "the group in admin/group of its configuration."

    private static func isAllowed(
        _ exchange: HTTPExchange, _ peers: PeerPolicy, _ logger: RocketLogger
    ) -> Bool {
        guard let peer = exchange.peer else { return false }
        if peers.allows(peer, isInGroup: exchange.peerIsInGroup) { return true }
        logger.warn("admin page refused to a user") {
            $0.add("uid", Int(peer.userID))
            $0.add("pid", Int(peer.processID))
        }
        return false
    }

    /// Each second: closes connections that are late, and takes a sample of the rates, so that the page
    /// has the last minute when somebody opens it. Until the program shuts down, which ends recordings.
    private func keepTime(of server: MicrohttpdServer) async {
        await cancelWhenGracefulShutdown { [router] in
            while (try? await Task.sleep(for: .seconds(1))) != nil {
                server.closeLate()
                router.tick()
            }
        }
        router.stop()
    }

    // MARK: TLS

    private func run(_ access: SecureAccess) async throws {
        // The listener and libmicrohttpd need each other: requests come after both are there.
        let made = Locked<SecureListener?>(nil)
        let httpd = try start(on: nil, isUnix: false) { [router, logger] exchange in
            let identity = made.withLock { $0 }?.identity(of: exchange.connection)
            // nil closes: its connection has ended.
            guard let identity else { return exchange.close() }
            let isChange = exchange.request.map { !$0.isReading } ?? false
            if let status = access.refusal(of: isChange ? .change : .read, to: identity) {
                Self.logRefusal(of: identity, isChange, logger)
                return exchange.answer(.text(Self.notAllowed, status: status))
            }
            router.answer(exchange)
        }
        let listener: SecureListener
        do {
            listener = try SecureListener(tcpConfiguration(access), logger: logger) {
                httpd.add($0, number: $1)
            }
        } catch {
            httpd.stop()
            throw AdminError(text: "the page's thread can't start: \(error)", errno: error.errno)
        }
        made.withLock { $0 = listener }
        do {
            announce(try listener.start() ?? configuration.address)
        } catch {
            await listener.stop()
            httpd.stop()
            throw AdminError(
                text: "the page can't listen (admin/listen): \(error)", errno: error.cause.errno)
        }
        await keepTime(of: httpd)
        await listener.stop()
        httpd.stop()
    }

    private func tcpConfiguration(_ access: SecureAccess) -> TCPServerConfiguration {
        var tcp = TCPServerConfiguration(listen: [configuration.address])
        tcp.maxConnections = configuration.maxConnections
        tcp.maxConnectionsPerPeer = configuration.maxConnectionsPerPeer
        tcp.security.tcp = access.security
        tcp.connection.handshakeTimeout = configuration.handshakeTimeout
        tcp.connection.firstBytesTimeout = nil
        tcp.connection.partialInputTimeout = nil
        return tcp
    }

    private static let notAllowed =
        "You may not do this: no rule of admin/authorization in the server's configuration allows it "
        + "to your certificate (admin.read to look at the page, admin.change to change something)."

    private static func logRefusal(
        of identity: PeerIdentity, _ isChange: Bool, _ logger: RocketLogger
    ) {
        logger.throttled(.warn, "admin page refused")?.warn("admin page refused") {
            $0.add("peer", identity.description)
            $0.add("right", (isChange ? SecureAccess.Right.change : .read).rawValue)
        }
    }
}
