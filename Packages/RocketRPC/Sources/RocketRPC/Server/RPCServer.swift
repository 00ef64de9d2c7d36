public import RocketBase
import RocketCodec
import RocketReactor
public import RocketSystem
public import RocketTCP
public import ServiceLifecycle

/// Serves services over TinyPB: one main reactor that accepts, `ioThreads` sub reactors that each
/// own their connections from first byte to close.
///
/// A ServiceLifecycle `Service`: `run()` returns when the server has drained, after
/// `beginDrain()`, after a graceful shutdown of its `ServiceGroup`, or after its task was
/// cancelled (then without waiting for running calls).
public final class RPCServer: Service {
    /// The phases of a server, in their order.
    public enum State: String, Hashable, Sendable {
        /// `run()` has not been called, or its listeners are not open yet.
        case notStarted
        /// Connections and calls are accepted.
        case running
        /// No more of them are accepted; running calls finish.
        case draining
        /// Everything is closed; it does not start again.
        case stopped
    }

    /// Routes calls to the services of this server.
    public let dispatcher: RPCDispatcher
    /// The health of its services, as `rocket.Health` reports it if the configuration enables that.
    public let health: RPCHealth
    private let runtime: ServerRuntime

    /// - Parameter interceptors: run around every handler, the first one outermost.
    /// - Throws: `RPCRegistrationError` for services that can't be registered together.
    public convenience init(
        configuration: RPCServerConfiguration, services: [any RPCService],
        interceptors: [any RPCInterceptor] = [], logger: RocketLogger = .disabled,
        time: any TimeSource = SystemTimeSource()
    ) throws {
        try self.init(
            configuration: configuration, services: services, interceptors: interceptors,
            logger: logger, time: time, makeListener: nil)
    }

    /// The same over any kind of transport.
    ///
    /// - Parameter makeListener: makes what accepts connections; its handlers are
    ///   `TransportHandler`s. nil: TCP and Unix sockets.
    init(
        configuration: RPCServerConfiguration, services: [any RPCService],
        interceptors: [any RPCInterceptor], logger: RocketLogger, time: any TimeSource,
        makeListener: ServerRuntime.MakeListener?
    ) throws {
        let meter = configuration.systemd.map { _ in CallMeter(time: time) }
        let measured: [any RPCInterceptor] = meter.map { [$0] } ?? []
        health = RPCHealth(services: services.map { type(of: $0).serviceName })
        var all = services
        if configuration.health { all.append(health) }
        if configuration.reflection { all.append(ReflectionService()) }
        dispatcher = try RPCDispatcher(
            services: all, interceptors: measured + interceptors, limits: configuration.limits,
            logger: logger, time: time)
        let application = RPCServerApplication(
            dispatcher: dispatcher, codec: configuration.codec, health: health,
            status: meter.map { StatusLines(meter: $0) })
        runtime = ServerRuntime(
            ServerRuntimeConfiguration(configuration), application: application, logger: logger,
            ioLogger: logger, makeListener: makeListener)
    }

    /// The present phase. Any thread.
    public var state: State {
        switch runtime.state {
        case .notStarted: .notStarted
        case .running: .running
        case .draining: .draining
        case .stopped: .stopped
        }
    }

    /// The addresses of its listeners, with ports chosen by the kernel. Suspends until they are
    /// open; empty if it has never started.
    public var boundAddresses: [NetAddress] { get async { await runtime.boundAddresses } }

    /// Stops accepting connections and calls, and lets `run()` return when the running calls have
    /// finished, at the latest after `drainTimeout`. Does not wait. Before `run()`: `run()` will
    /// return at once. Again: no effect. Any thread.
    public func beginDrain() { runtime.beginDrain() }

    /// Applies the part of a configuration that may change while the server runs: the limits on
    /// calls in flight and the drain time-out. Any thread.
    public func update(_ new: RPCServerConfiguration) {
        dispatcher.limiter.update(new.limits)
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

/// Connects the runtime of a server to the dispatcher: a `ServerConnection` per connection, a
/// scheduler of handlers per loop.
private final class RPCServerApplication: ServerApplication {
    private let dispatcher: RPCDispatcher
    private let codec: TinyPBCodec
    private let health: RPCHealth
    private let statusLines: StatusLines?
    private let schedulers = SchedulerRegistry()

    init(
        dispatcher: RPCDispatcher, codec: TinyPBCodec, health: RPCHealth, status: StatusLines?
    ) {
        self.dispatcher = dispatcher
        self.codec = codec
        self.health = health
        statusLines = status
    }

    func makeHandler(on reactor: Reactor) -> any TCPConnectionHandler {
        ServerConnection(
            dispatcher: dispatcher, codec: codec,
            scheduler: schedulers.scheduler(on: reactor, dispatcher))
    }

    func status(connectionCount: Int) -> String {
        statusLines?.next(connections: connectionCount) ?? "serving"
    }

    func drainRequested() { health.drain() }

    func stop() { schedulers.stopAll() }
}

extension ServerRuntimeConfiguration {
    fileprivate init(_ configuration: RPCServerConfiguration) {
        self.init(tcp: configuration.tcp)
        ioThreads = configuration.ioThreads
        slowCallback = configuration.slowCallback
        drainTimeout = configuration.drainTimeout
        systemd = configuration.systemd
    }
}
