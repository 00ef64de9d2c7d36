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
    private enum Phase {
        case notStarted
        case starting
        case running([NetAddress])
        case draining
        case stopped
    }

    /// The services that it serves.
    public let dispatcher: RPCDispatcher
    private let configuration: RPCServerConfiguration
    private let meter: CallMeter?
    private let logger: Logger
    private let drainTimeout: Locked<Duration>
    private let phase = Locked(Phase.notStarted)
    private let drainRequested = OneTimeSignal()
    private let started = OneTimeSignal()

    /// - Parameter interceptors: stand around every handler, the first one outermost.
    /// - Throws: `RPCRegistrationError` for services that can't be registered together.
    public init(
        configuration: RPCServerConfiguration, services: [any RPCService],
        interceptors: [any RPCInterceptor] = [], logger: Logger = .disabled,
        time: any TimeSource = SystemTimeSource()
    ) throws {
        let meter = configuration.systemd.map { _ in CallMeter(time: time) }
        self.meter = meter
        let measured: [any RPCInterceptor] = meter.map { [$0] } ?? []
        dispatcher = try RPCDispatcher(
            services: services, interceptors: measured + interceptors,
            limits: configuration.limits, logger: logger, time: time)
        self.configuration = configuration
        drainTimeout = Locked(configuration.drainTimeout)
        self.logger = logger
    }

    /// Where it listens, with ports that the kernel chose; waits until it does. Empty when it
    /// never started.
    public var boundAddresses: [NetAddress] {
        get async {
            await started.wait()
            return phase.withLock { phase in
                if case .running(let addresses) = phase { addresses } else { [] }
            }
        }
    }

    /// Stops taking connections and calls, and lets `run()` return when the running calls have
    /// finished, at the latest after `drainTimeout`. Does not wait. Any thread.
    public func beginDrain() { drainRequested.fire() }

    /// Takes over what may change while it runs: the limits on calls in flight and the drain
    /// time-out. Any thread.
    public func update(_ new: RPCServerConfiguration) {
        dispatcher.limits.update(new.limits)
        drainTimeout.withLock { $0 = new.drainTimeout }
    }

    /// Serves until it is told to stop.
    ///
    /// - Throws: `SystemError` where threads or listeners can't be had (the address is named), or
    ///   `RPCError` when it ran before.
    public func run() async throws {
        defer { started.fire() }
        try begin()
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
        let directory = LoopDirectory()
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await serve(
                    makeServer(main.loop, subs.loops, directory), [main.loop] + subs.loops))
        } catch {
            outcome = .failure(error)
        }
        phase.withLock { $0 = .stopped }
        directory.stopDrivers()
        await subs.shutdown()
        main.stop()
        await main.ended()
        try outcome.get()
    }

    private func begin() throws(RPCError) {
        let isFirst = phase.withLock { phase in
            guard case .notStarted = phase else { return false }
            phase = .starting
            return true
        }
        if !isFirst { throw RPCError(.channelInit, "a server runs once") }
    }

    private func serve(_ server: TCPServer, _ loops: [EventLoop]) async throws {
        let addresses = try server.start()
        phase.withLock { $0 = .running(addresses) }
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
        phase.withLock { $0 = .draining }
        let limit = Task.isCancelled ? .zero : drainTimeout.withLock { $0 }
        configuration.systemd?.stopping(within: limit)
        await server.drain(within: limit)
        logger.info("server drained")
    }

    private func makeServer(
        _ main: EventLoop, _ subs: [EventLoop], _ directory: LoopDirectory
    ) -> TCPServer {
        let (dispatcher, codec) = (dispatcher, configuration.codec)
        return TCPServer(
            configuration: configuration.tcp, mainLoop: main, subLoops: subs, logger: logger
        ) { reactor in
            ServerConnection(
                dispatcher: dispatcher, codec: codec,
                drivers: directory.drivers(on: reactor, dispatcher))
        }
    }
}
