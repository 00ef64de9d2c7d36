public import RocketBase
import RocketCodec
public import RocketSystemd
import RocketTCP

extension RPCServerConfiguration {
    /// Creates a configuration from the element `root/server` of a configuration file.
    ///
    /// - Parameters:
    ///   - sockets: sockets of socket activation. Those with the name `rpc`, or without a name, are
    ///     served in place of the configured addresses.
    ///   - security: makes what protects the listeners, for which it reads files: `TLSProvider` of
    ///     RocketTLS; nil: none, so that a configuration with TLS is an error.
    ///   - protocols: further wires, `[.grpc()]` of RocketGRPC; none: a configuration that requires
    ///     gRPC is an error.
    /// A listener's host name is looked up, which blocks: see `ListenAddresses`.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for an invalid listener address, or TLS that can't be
    ///   used; UNAVAILABLE for a listener's name that can't be looked up now; CHANNEL_INIT for a wire
    ///   that is required and not there.
    public init(
        _ server: ServerConfig, sockets: ListenFDs = .none,
        security: (any TransportSecurityProvider)? = nil, protocols: [RPCWireProtocol] = []
    ) throws(RPCError) {
        if server.grpc == .on, protocols.isEmpty {
            throw RPCError(
                .channelInit,
                "server/grpc is on, and this program serves no gRPC: import RocketGRPC and give the "
                    + "server protocols: [.grpc()], or set server/grpc to auto or off")
        }
        let wires = server.grpc == .off ? [] : protocols
        let names = wires.flatMap(\.wire.applicationProtocols)
        if let fault = sockets.fault { throw RPCError(.peerAddress, fault) }
        var addresses = ListenAddresses()
        let listeners = try addresses.all(of: server.addresses)
        var tcp = TCPServerConfiguration(listen: listeners)
        tcp.adoptedDescriptors = sockets.descriptors(for: Self.socketName)
        tcp.apply(server)
        do throws(TransportSecurityError) {
            tcp.security = try ListenerSecurity(
                server, by: security, protocols: ["rocket/1"] + names.filter { $0 != "rocket/1" },
                addresses: addresses)
        } catch { throw RPCError(.peerAddress, "\(error)") }
        self.init(tcp: tcp)
        ioThreads = server.ioThreads
        codec = TinyPBCodec(
            maxFrameBytes: server.maxFrameBytes, checksum: .init(server.checksum))
        limits = RPCCallLimits(server)
        busyWait = .microseconds(server.busyWaitMicroseconds)
        slowCallback = server.slowCallback > .zero ? server.slowCallback : nil
        drainTimeout = server.drainTimeout
        maxConnectionAge = server.maxConnectionAge > .zero ? server.maxConnectionAge : nil
        maxConnectionAgeGrace = server.maxConnectionAgeGrace
        json = server.json
        health = server.health
        reflection = server.reflection
        reportsLoad = server.reportsLoad
        authorization = server.authorization
        self.protocols = wires
        if let http = server.http {
            self.http = try RPCHTTPConfiguration(
                http, of: server, beside: tcp, security: security, &addresses)
            try checkHTTP()
        }
    }

    /// Checks that calls can be served over HTTP/1.1, if there are listeners for them.
    func checkHTTP() throws(RPCError) {
        if http == nil { return }
        if !json {
            throw RPCError(
                .channelInit,
                "there are listeners for HTTP/1.1 (server/http), which serve nothing but JSON, and "
                    + "server/json is off: remove one of the two")
        }
        if protocols.contains(where: { $0.wire.http1 != nil }) { return }
        throw RPCError(
            .channelInit,
            "there are listeners for HTTP/1.1 (server/http), and the server has no wire for it: import "
                + "RocketGRPC and give the server protocols: [.grpc()], and don't set server/grpc to off"
        )
    }

    /// The name of sockets for calls in a socket unit: FileDescriptorName=rpc.
    public static let socketName = "rpc"
}

extension RPCCallLimits {
    /// Creates limits from the element `root/server` of a configuration file.
    public init(_ server: ServerConfig) {
        maxCallsPerConnection = server.maxInFlightPerConnection
        maxCalls = server.maxInFlight
        maxWatchesPerConnection = server.maxWatchesPerConnection
        maxWatches = server.maxWatches
        streams.maxPerConnection = server.maxStreamsPerConnection
        streams.windowBytes = server.streamWindowBytes
        streams.connectionWindowBytes = server.connectionWindowBytes
        streams.idleTimeout = server.streamIdleTimeout
        defaults = RPCMethodLimits(
            maxRequestBytes: server.maxRequestBytes, maxResponseBytes: server.maxResponseBytes,
            timeout: server.maxHandlerTime)
        if let overload = server.overload {
            queueDelay = overload.queueDelay > .zero ? overload.queueDelay : nil
            refusesLateCalls = overload.refusesLateCalls
            adaptiveMethods = overload.adaptiveLimits
            callsPerSecond = overload.callsPerSecond
            callBurst = overload.burst
            maxCallers = overload.maxCallers
            acceptsCritical = overload.acceptsCritical
        }
        for method in server.methodLimits {
            methods[method.method] = RPCMethodLimits(
                maxRequestBytes: method.maxRequestBytes, maxResponseBytes: method.maxResponseBytes,
                timeout: method.maxHandlerTime)
        }
    }
}

extension TinyPBCodec.Checksum {
    init(_ policy: ChecksumPolicy) {
        self =
            switch policy {
            case .off: .none
            case .send: .sent
            case .require: .required
            }
    }
}

extension NetAddress {
    /// Parses an address in a configuration or on a command line.
    init(configured text: String) throws(RPCError) {
        do {
            try self.init(parsing: text)
        } catch {
            throw RPCError(.peerAddress, "\(error)")
        }
    }
}

extension RPCServer {
    /// Creates a server from a configuration file. By default it notifies the service manager and
    /// serves the sockets that the service manager passed to the process.
    ///
    /// - Parameters:
    ///   - logs: receives the server's log lines on its rpc stream; nil: no log. Its flight recorder
    ///     records the calls.
    ///   - authenticator: checks the tokens of callers; nil: tokens are ignored.
    ///   - systemd: notifies the service manager; default: the one of the environment, if any.
    ///   - sockets: sockets of socket activation; default: those of the environment. A process with
    ///     two servers has to pass different sockets to each.
    ///   - security: makes what protects the listeners: `TLSProvider` of RocketTLS; nil: none, so
    ///     that a configuration with TLS is an error.
    ///   - protocols: further wires: `[.grpc]` of RocketGRPC; default: none.
    ///   - hasAdmin: whether the program shows the server by RocketAdmin; default: it does not, and a
    ///     configuration with `admin/listen` is an error. That element turns the recording of calls on.
    ///   - hasTracing: whether the program exports spans by RocketOTLP; default: it does not, and a
    ///     configuration with `trace/otlp` is an error.
    /// - Throws: `RPCRegistrationError` if the services can't be registered together, `RPCError`
    ///   for an invalid listener address, TLS that can't be used, or a page or an export of spans that
    ///   the program does not have.
    public convenience init(
        config: RocketConfig, services: [any RPCService],
        interceptors: [any RPCInterceptor] = [],
        authenticator: (any RPCAuthenticator)? = nil, logs: LogSystem? = nil,
        systemd: SystemdReporter? = .fromEnvironment(), sockets: ListenFDs = .fromEnvironment(),
        security: (any TransportSecurityProvider)? = nil, protocols: [RPCWireProtocol] = [],
        hasAdmin: Bool = false, hasTracing: Bool = false
    ) throws {
        if config.trace.otlp != nil, !hasTracing {
            throw RPCError(
                .channelInit,
                "trace/otlp is set, and this program exports no spans: import RocketOTLP, add an "
                    + "OTLPExporter to its services and an interceptor RPCTracing to the server, and "
                    + "create that with hasTracing: true, or remove trace/otlp")
        }
        if config.admin.listen != nil, !hasAdmin {
            throw RPCError(
                .channelInit,
                "admin/listen is set, and this program has no page: import RocketAdmin, add an "
                    + "AdminServer to its services and create the server with hasAdmin: true, or "
                    + "remove admin/listen")
        }
        var configuration = try RPCServerConfiguration(
            config.server, sockets: sockets, security: security, protocols: protocols)
        configuration.systemd = systemd
        configuration.collectsMetrics = config.admin.listen != nil
        configuration.authenticator = authenticator
        configuration.flightRecorder = logs?.flightRecorder
        try self.init(
            configuration: configuration, services: services,
            interceptors: interceptors, logger: logs?.rpc ?? .disabled)
    }
}
