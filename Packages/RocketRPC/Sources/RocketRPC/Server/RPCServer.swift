public import RocketBase
import RocketCodec
import RocketReactor
public import RocketSystem
import RocketSystemd
public import RocketTCP
public import ServiceLifecycle

/// Serves services over TinyPB: one main reactor that accepts, `ioThreads` sub reactors that each
/// own their connections from first byte to close.
///
/// A ServiceLifecycle `Service`: `run()` returns when the server has drained, after
/// `beginDrain()`, after a graceful shutdown of its `ServiceGroup`, or after its task was
/// cancelled (then without waiting for running calls).
public final class RPCServer: Service {
    /// Where a server is in its life.
    public enum State: String, Hashable, Sendable {
        /// `run()` was not called, or its listeners are not open yet.
        case notStarted
        /// It takes connections and calls.
        case running
        /// It takes no more of them, and running calls finish.
        case draining
        /// Over; it does not start again.
        case stopped
    }

    /// The services that it serves.
    public let dispatcher: RPCDispatcher
    /// What the server says of its services' health, where the configuration lets it.
    public let health: RPCHealth
    private let configuration: RPCServerConfiguration
    private let meter: CallMeter?
    private let logger: RocketLogger
    private let drainTimeout: Locked<Duration>
    private let lifecycle = Locked(ServerLifecycle())
    private let drainRequested = AsyncEvent()
    private let started = AsyncEvent()

    /// - Parameter interceptors: stand around every handler, the first one outermost.
    /// - Throws: `RPCRegistrationError` for services that can't be registered together.
    public init(
        configuration: RPCServerConfiguration, services: [any RPCService],
        interceptors: [any RPCInterceptor] = [], logger: RocketLogger = .disabled,
        time: any TimeSource = SystemTimeSource()
    ) throws {
        let meter = configuration.systemd.map { _ in CallMeter(time: time) }
        self.meter = meter
        let measured: [any RPCInterceptor] = meter.map { [$0] } ?? []
        health = RPCHealth(services: services.map { type(of: $0).serviceName })
        var all = services
        if configuration.health { all.append(health) }
        if configuration.reflection { all.append(ReflectionService()) }
        dispatcher = try RPCDispatcher(
            services: all, interceptors: measured + interceptors, limits: configuration.limits,
            logger: logger, time: time)
        self.configuration = configuration
        drainTimeout = Locked(configuration.drainTimeout)
        self.logger = logger
    }

    /// Where it is in its life. Any thread.
    public var state: State { lifecycle.withLock { $0.publicState } }

    /// Where it listens, with ports that the kernel chose; waits until it does. Empty when it
    /// never started.
    public var boundAddresses: [NetAddress] {
        get async {
            await started.wait()
            return lifecycle.withLock { $0.addresses }
        }
    }

    /// Stops taking connections and calls, and lets `run()` return when the running calls have
    /// finished, at the latest after `drainTimeout`. Does not wait. Before `run()`: that returns
    /// at once. Any thread; again: nothing.
    public func beginDrain() { perform(.drain) }

    /// Takes over what may change while it runs: the limits on calls in flight and the drain
    /// time-out. Any thread.
    public func update(_ new: RPCServerConfiguration) {
        dispatcher.limiter.update(new.limits)
        drainTimeout.withLock { $0 = new.drainTimeout }
    }

    /// Serves until it is told to stop.
    ///
    /// - Throws: `SystemError` where threads or listeners can't be had (the address is named), or
    ///   `RPCError` when it ran before.
    public func run() async throws {
        defer { started.fire() }
        switch perform(.run) {
        case .refuse: throw RPCError(.channelInit, "a server runs once")
        case .returnAtOnce: return
        default: break
        }
        defer { perform(.ended) }
        var loopConfiguration = EventLoopConfiguration()
        loopConfiguration.slowCallback = configuration.slowCallback
        let main = try IOThread(
            name: "rocket-main", configuration: loopConfiguration, logger: logger)
        let subs: IOThreadGroup
        do {
            subs = try IOThreadGroup(
                count: configuration.ioThreads, namePrefix: "rocket-io-",
                configuration: loopConfiguration, logger: logger)
        } catch {
            main.stop()
            await main.ended()
            throw error
        }
        let schedulers = SchedulerRegistry()
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await serve(
                    makeServer(main.loop, subs.loops, schedulers), [main.loop] + subs.loops))
        } catch {
            outcome = .failure(error)
        }
        schedulers.stopAll()
        await subs.shutdown()
        main.stop()
        await main.ended()
        try outcome.get()
    }

    /// Tells the state machine, and does of its answer what can be done here.
    @discardableResult
    private func perform(_ event: ServerLifecycle.Event) -> ServerLifecycle.Action {
        let action = lifecycle.withLock { $0.handle(event) }
        if action == .drain {
            health.drain()
            drainRequested.fire()
        }
        return action
    }

    private func serve(_ server: TCPServer, _ loops: [EventLoop]) async throws {
        let addresses = try server.start()
        perform(.listening(addresses))
        // Before anybody else can: what they would tell knows nothing of calls and loops.
        if let systemd = configuration.systemd {
            tellReady(systemd, meter: meter, connections: { server.connectionCount }, loops: loops)
        }
        started.fire()
        logger.info("server started") {
            $0.add("addresses", addresses.map(\.description).joined(separator: " "))
        }
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await drainRequested.wait()
            } onGracefulShutdown: { [self] in
                beginDrain()
            }
        } onCancel: { [self] in
            beginDrain()
        }
        let limit = Task.isCancelled ? .zero : drainTimeout.withLock { $0 }
        configuration.systemd?.stopping(within: limit)
        await server.drain(within: limit)
        logger.info("server drained")
    }

    private func makeServer(
        _ main: EventLoop, _ subs: [EventLoop], _ schedulers: SchedulerRegistry
    ) -> TCPServer {
        let (dispatcher, codec) = (dispatcher, configuration.codec)
        return TCPServer(
            configuration: configuration.tcp, mainLoop: main, subLoops: subs, logger: logger
        ) { reactor in
            ServerConnection(
                dispatcher: dispatcher, codec: codec,
                scheduler: schedulers.scheduler(on: reactor, dispatcher))
        }
    }
}
