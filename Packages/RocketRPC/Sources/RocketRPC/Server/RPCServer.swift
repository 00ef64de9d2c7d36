public import RocketBase
import RocketCodec
@_spi(Simulation) import RocketReactor
public import RocketSystem
@_spi(Simulation) public import RocketTCP
public import ServiceLifecycle

/// A TinyPB server: one main reactor accepts connections, and each of `ioThreads` sub reactors
/// owns its connections until they are closed.
///
/// A ServiceLifecycle `Service`: `run()` returns when the server has drained, after
/// `beginDrain()`, after a graceful shutdown of its `ServiceGroup`, or after its task was
/// cancelled (then without waiting for running calls).
public final class RPCServer: Service {
    /// The phases of a server, in order.
    public enum State: String, Hashable, Sendable {
        /// `run()` has not been called, or its listeners are not open yet.
        case notStarted
        /// Connections and calls are accepted.
        case running
        /// New connections and calls are refused; running calls finish.
        case draining
        /// All connections are closed; the server can't be started again.
        case stopped
    }

    /// Routes calls to the services of this server.
    public let dispatcher: RPCDispatcher
    /// The health of the services, served as `rocket.Health` if the configuration enables it.
    public let health: RPCHealth
    let runtime: ServerRuntime
    private let load: ServerLoad?
    let time: any TimeSource
    /// When it was created.
    let startedAt: WallTime
    let beganAt: MonotonicTime
    /// Nil: calls are not recorded.
    let metrics: ServerMetrics?
    let collector: SnapshotCollector
    let schedulers: SchedulerRegistry
    let budget: ByteBudget
    let highest = HighestValues()
    /// Nil: HTTP/1.1 is not served.
    let http: HTTPListener?

    /// - Parameter interceptors: wrap every handler; the first one is the outermost.
    /// - Throws: `RPCRegistrationError` if the services can't be registered together, `RPCError` for
    ///   listeners for HTTP/1.1 without a wire for it.
    public convenience init(
        configuration: RPCServerConfiguration, services: [any RPCService],
        interceptors: [any RPCInterceptor] = [], logger: RocketLogger = .disabled,
        time: any TimeSource = SystemTimeSource()
    ) throws {
        try self.init(
            configuration: configuration, services: services, interceptors: interceptors,
            logger: logger, time: time, makeListener: nil)
    }

    /// Creates a server over any kind of transport.
    ///
    /// - Parameter makeListener: creates the listener that accepts connections; its handlers are
    ///   `TransportHandler`s. nil: TCP and Unix sockets.
    init(
        configuration: RPCServerConfiguration, services: [any RPCService],
        interceptors: [any RPCInterceptor], logger: RocketLogger, time: any TimeSource,
        makeListener: ServerRuntime.MakeListener?
    ) throws {
        try configuration.checkHTTP()
        self.time = time
        startedAt = time.wall()
        beganAt = time.monotonic()
        health = RPCHealth(services: services.map { type(of: $0).serviceName })
        var all = services
        if configuration.health { all.append(health) }
        let reflection = configuration.reflection ? ReflectionService() : nil
        if let reflection { all.append(reflection) }
        let told = WireServices(
            health: configuration.health ? health : nil,
            reflection: reflection.map { ReflectionSource(service: $0) })
        // The application's own service of such a name takes its place.
        let names = Set(all.map { type(of: $0).serviceName })
        for wire in configuration.protocols {
            all += wire.wire.services(told).filter { !names.contains(type(of: $0).serviceName) }
        }
        dispatcher = try RPCDispatcher(
            services: all, interceptors: interceptors, limits: configuration.limits,
            authenticator: configuration.authenticator, authorization: configuration.authorization,
            logger: logger, time: time)
        dispatcher.overload.share(among: configuration.ioThreads)
        metrics =
            configuration.collectsMetrics || configuration.systemd != nil
                || configuration.flightRecorder != nil
            ? ServerMetrics(
                .init(configuration), methods: dispatcher.table.entries,
                flightRecorder: configuration.flightRecorder) : nil
        load = configuration.reportsLoad ? ServerLoad(loops: configuration.ioThreads) : nil
        schedulers = SchedulerRegistry(
            age: ConnectionAge(configuration), load: load, metrics: metrics)
        collector = SnapshotCollector(schedulers)
        budget = configuration.tcp.budget
        let application = RPCServerApplication(
            dispatcher: dispatcher, codec: configuration.codec,
            wires: configuration.protocols.map(\.wire), servesJSON: configuration.json,
            services: services, health: health,
            status: metrics.map { [dispatcher] in
                StatusLines(metrics: $0, time: time) { dispatcher.statistics }
            },
            schedulers: schedulers)
        let settings = ServerRuntimeConfiguration(configuration)
        http = configuration.http.map { http in
            HTTPListener(http.holding(configuration.codec), logger: logger) {
                application.makeHTTPHandler(http.settings, on: $0)
            }
        }
        let make = makeListener ?? ServerRuntime.tcpListener(settings.tcp, logger: logger)
        runtime = ServerRuntime(
            settings, application: application, logger: logger, ioLogger: logger,
            makeListener: http?.beside(make) ?? make)
    }

    /// The current phase. Any thread.
    public var state: State {
        switch runtime.state {
        case .notStarted: .notStarted
        case .running: .running
        case .draining: .draining
        case .stopped: .stopped
        }
    }

    /// The addresses of the listeners, with the ports chosen by the kernel. Suspends until the
    /// listeners are open; empty if the server never starts.
    public var boundAddresses: [NetAddress] { get async { await runtime.boundAddresses } }

    /// The addresses where calls are served over HTTP/1.1, as `boundAddresses`; empty if none are.
    public var boundHTTPAddresses: [NetAddress] {
        get async { await runtime.boundAddresses.isEmpty ? [] : http?.addresses ?? [] }
    }

    /// The share of the server's capacity that is in use, where the application knows it better than
    /// by how busy the loops are, for example if handlers wait for a database: 0 or more, may exceed
    /// 1. nil, the default: the loops are measured. Without effect unless the configuration's
    /// `reportsLoad` is true. Any thread.
    public var reportedUtilization: Double? {
        get { load?.utilization }
        set { load?.utilization = newValue }
    }

    /// Stops accepting connections and calls. `run()` returns when the running calls have finished,
    /// at the latest after `drainTimeout`; if it is called later, it returns at once. Does not
    /// wait. Further calls have no effect. Any thread.
    public func beginDrain() { runtime.beginDrain() }

    /// Applies the settings of a configuration that can be changed while the server runs: the
    /// limits on calls in flight and on watch calls, those under overload, the policy of who may call
    /// what, and the drain time-out. Any thread.
    public func update(_ new: RPCServerConfiguration) {
        dispatcher.update(new.authorization)
        dispatcher.update(new.limits)
        runtime.update(drainTimeout: new.drainTimeout)
    }

    /// Serves until a drain is requested or its task is cancelled.
    ///
    /// - Throws: `SystemError` when a thread or its loop can't be created, `TCPListenError` (with
    ///   the address) when a listener can't be opened, `RPCError` on every use but the first.
    public func run() async throws {
        do {
            try await withGracefulShutdownHandler {
                try await runtime.run()
            } onGracefulShutdown: { [self] in
                beginDrain()
            }
        } catch let error as ServerRuntimeError {
            throw RPCError(.channelInit, error.description)
        }
    }
}

/// Connects the runtime of a server to the dispatcher: creates a `ServerConnection` per connection
/// and a `HandlerScheduler` per loop.
private final class RPCServerApplication: ServerApplication {
    private let dispatcher: RPCDispatcher
    private let codec: TinyPBCodec
    /// The wires beside TinyPB.
    private let selector: WireSelector
    /// Those of the application.
    private let services: [any RPCService]
    private let health: RPCHealth
    private let statusLines: StatusLines?
    private let schedulers: SchedulerRegistry

    init(
        dispatcher: RPCDispatcher, codec: TinyPBCodec, wires: [any WireProtocol],
        servesJSON: Bool, services: [any RPCService], health: RPCHealth, status: StatusLines?,
        schedulers: SchedulerRegistry
    ) {
        self.schedulers = schedulers
        self.dispatcher = dispatcher
        self.codec = codec
        selector = WireSelector(
            wires, Self.settings(dispatcher, codec, servesJSON: servesJSON))
        self.services = services
        self.health = health
        statusLines = status
    }

    var wires: [String] { ["TinyPB"] + selector.wires.map(\.name) }

    func makeHandler(on reactor: Reactor) -> any TCPConnectionHandler {
        let scheduler = schedulers.scheduler(on: reactor, dispatcher)
        if selector.wires.isEmpty { return scheduler.makeConnection(codec) }
        return WireSelection(selector, scheduler)
    }

    /// Returns the handler of a new connection of a listener for HTTP/1.1. On the connection's loop.
    func makeHTTPHandler(
        _ http: HTTP1Settings, on reactor: Reactor
    ) -> any TCPConnectionHandler {
        let connection = schedulers.scheduler(on: reactor, dispatcher).makeConnection(codec)
        connection.wire = "HTTP/1.1"
        let wire = selector.wires.lazy.compactMap(\.http1).first
        return wire?.makeHTTP1Handler(
            for: connection, settings: selector.settings, http: http, on: reactor) ?? connection
    }

    private static func settings(
        _ dispatcher: RPCDispatcher, _ codec: TinyPBCodec, servesJSON: Bool
    ) -> WireSettings {
        var messageTypes: (@Sendable (RawSpan) -> MessageTypes?)?
        if servesJSON { messageTypes = { dispatcher.table.find($0)?.messages } }
        return WireSettings(
            codec: codec, methodKind: { dispatcher.table.find($0)?.kind },
            messageTypes: messageTypes, streams: dispatcher.streamLimits,
            logger: dispatcher.logger)
    }

    func status(connectionCount: Int) -> String {
        statusLines?.next(connections: connectionCount) ?? "serving"
    }

    func drainRequested() {
        health.drain()
        for service in services { service.serverDrains() }
    }

    func stop() { schedulers.stopAll() }
}

extension ServerRuntimeConfiguration {
    fileprivate init(_ configuration: RPCServerConfiguration) {
        self.init(tcp: configuration.tcp.holding(configuration.codec))
        ioThreads = configuration.ioThreads
        slowCallback = configuration.slowCallback
        busyWait = configuration.busyWait
        drainTimeout = configuration.drainTimeout
        systemd = configuration.systemd
        if let make = configuration.makeThread { makeThread = make }
    }
}

extension RPCHTTPConfiguration {
    /// Returns this configuration with a limit on waiting output that a response does not exceed.
    fileprivate func holding(_ codec: TinyPBCodec) -> Self {
        var copy = self
        copy.tcp.connection.outputLimitBytes = tcp.holding(codec).connection.outputLimitBytes
        return copy
    }
}

extension TCPServerConfiguration {
    /// Returns this configuration with limits on buffers that the largest frame does not exceed: it
    /// would close its connection, with all calls on it.
    fileprivate func holding(_ codec: TinyPBCodec) -> Self {
        var copy = self
        // Behind the rest of a frame, input of a few reads may wait for a handler task.
        copy.connection.inputLimitBytes = max(
            connection.inputLimitBytes, codec.maxFrameBytes + (1 << 20))
        // Up to the high water mark, a reply waits for nothing; errors are short.
        copy.connection.outputLimitBytes = max(
            connection.outputLimitBytes,
            codec.maxFrameBytes + connection.highWaterMarkBytes + (1 << 20))
        return copy
    }
}
