public import RocketBase
@_spi(Simulation) public import RocketReactor
import RocketSystem
public import RocketSystemd
import Synchronization

/// The part of a server above its connections: makes their handlers, and takes part in start, drain
/// and stop of its `ServerRuntime`.
///
/// The functions are listed in the order in which the runtime uses them. `start`, `finishInput` and
/// `stop` run on the task of `run()`.
public protocol ServerApplication: AnyObject, Sendable {
    /// The names of the protocols that connections may speak, for the log line of the start.
    var wires: [String] { get }
    /// Prepares for connections on these loops. Once, before the listeners open.
    func start(on loops: [EventLoop])
    /// Returns the handler of a new connection. On the connection's loop.
    func makeHandler(on reactor: Reactor) -> any TCPConnectionHandler
    /// Returns one line for the service manager (STATUS=). Once a second, on the thread of the
    /// `SystemdReporter`.
    func status(connectionCount: Int) -> String
    /// Publishes that the server drains. Once, on the thread that requests the drain, so it must not
    /// block.
    func drainRequested()
    /// Stops taking input, and returns when everything received before is in the output of its
    /// receivers. The connections are drained after it.
    func finishInput() async
    /// Releases what belongs to the loops. Once, when the connections are closed or the listeners
    /// could not be opened; the loops still run, and end after it.
    func stop()
}

extension ServerApplication {
    /// None: the log line says nothing of them.
    public var wires: [String] { [] }
    /// Has nothing to prepare.
    public func start(on loops: [EventLoop]) {}
    /// Reports nothing.
    public func drainRequested() {}
    /// Has no input of its own to finish.
    public func finishInput() async {}
    /// Has nothing to release.
    public func stop() {}
}

/// Accepts connections and spreads them over loops: `TCPServer`, or what stands in its place, such
/// as a simulated network. Any thread.
public protocol ConnectionListener: Sendable {
    /// Opens all listeners, or none. From its return on peers can connect. `ServerRuntime` calls
    /// it on the main loop's thread.
    ///
    /// - Returns: the addresses where it listens, ports resolved.
    /// - Throws: `TCPListenError` for the first listener that failed.
    func start() throws(TCPListenError) -> [NetAddress]
    /// Accepts no more connections, notifies the handlers, and returns when all connections are
    /// closed; what is left after `limit` is closed then.
    func drain(within limit: Duration) async
    /// Closes everything at once, also while it drains. Returns before that is done.
    func stop()
    /// Connections open now.
    var connectionCount: Int { get }
    /// Bytes that all connections hold now.
    var bufferedBytes: Int { get }
    /// The connections, the limits on them, and what those have refused. Default: the number of the
    /// connections.
    var connectionCounts: ConnectionCounts { get }
}

extension ConnectionListener {
    /// The number of the connections.
    public var connectionCounts: ConnectionCounts {
        ConnectionCounts(open: connectionCount, most: connectionCount)
    }
}

extension TCPServer: ConnectionListener {}

/// How a `ServerRuntime` listens, on how many threads, and how long it drains. A value.
public struct ServerRuntimeConfiguration: Sendable {
    /// Listeners, connections, time-outs and buffers.
    public var tcp: TCPServerConfiguration
    /// What the names of its threads begin with: with `rocket-` they are `rocket-main`,
    /// `rocket-io-0`, `rocket-io-1`, … Default `rocket-`.
    public var threadNamePrefix = "rocket-"
    /// Sub reactors. 1 to 1024; default 1.
    public var ioThreads = 1
    /// Callbacks that occupy a loop for longer are logged. Default 100 ms; nil: none.
    public var slowCallback: Duration? = .milliseconds(100)
    /// How long the loops look for events before they sleep: `EventLoopConfiguration.busyWait`.
    /// Default 0: they sleep at once.
    public var busyWait = Duration.zero
    /// How long connections may take to finish once the server drains. Default 10 s.
    public var drainTimeout = Duration.seconds(10)
    /// The service manager to be notified of readiness, status and drain, with a watchdog over all
    /// loops. Default nil: none.
    public var systemd: SystemdReporter?
    /// Starts what drives each loop. Default: an `IOThread`.
    @_spi(Simulation) public var makeThread: MakeLoopThread = { name, configuration, logger in
        try IOThread(name: name, configuration: configuration, logger: logger)
    }

    /// The defaults for these listeners.
    public init(tcp: TCPServerConfiguration) { self.tcp = tcp }
}

/// Why `ServerRuntime.run()` did not start.
public enum ServerRuntimeError: Error, Hashable, CustomStringConvertible {
    /// `run()` had been started before.
    case alreadyRun

    /// `a server runs once`
    public var description: String { "a server runs once" }
}

/// Runs one `TCPServer` on threads of its own, from the first listener to the last connection: one
/// main reactor that accepts, `ioThreads` sub reactors that each own their connections.
///
/// `run()` returns when the server has drained, after `beginDrain()` or after its task has been
/// cancelled (then, and when it is cancelled during a drain, without waiting for connections). Any
/// thread.
public final class ServerRuntime: Sendable {
    /// The phases of a server, in their order.
    public enum State: String, Hashable, Sendable {
        /// `run()` has not been started, or its listeners are not open yet.
        case notStarted
        /// Connections are accepted.
        case running
        /// No more connections are accepted; the open ones finish.
        case draining
        /// Everything is closed; it does not start again.
        case stopped
    }

    private let configuration: ServerRuntimeConfiguration
    private let application: any ServerApplication
    private let logger: RocketLogger
    private let ioLogger: RocketLogger
    private let lifecycle = Locked(ServerLifecycle())
    private let drainTimeout: Locked<Duration>
    private let makeListener: MakeListener
    private let listener = Locked<(any ConnectionListener)?>(nil)
    private let running = Locked<[EventLoop]>([])
    /// Whether `boundAddresses` has its value: it listens, or never will.
    private let hasSettled = Atomic(false)
    private let settled = AsyncEvent()
    private let drainRequested = AsyncEvent()

    /// Makes what accepts the connections.
    ///
    /// - main: the loop that accepts.
    /// - sub: the loops that own the connections.
    /// - makeHandler: makes the handler of a new connection, on the connection's loop.
    public typealias MakeListener =
        @Sendable (
            _ main: EventLoop, _ sub: [EventLoop],
            _ makeHandler: @escaping @Sendable (Reactor) -> any TCPConnectionHandler
        ) -> any ConnectionListener

    /// - Parameters:
    ///   - logger: for the start and the end of the server.
    ///   - ioLogger: for its threads and connections.
    ///   - makeListener: nil: a `TCPServer` of the configuration.
    public init(
        _ configuration: ServerRuntimeConfiguration, application: any ServerApplication,
        logger: RocketLogger = .disabled, ioLogger: RocketLogger = .disabled,
        makeListener: MakeListener? = nil
    ) {
        self.makeListener = makeListener ?? Self.tcpListener(configuration.tcp, logger: ioLogger)
        self.configuration = configuration
        self.application = application
        self.logger = logger
        self.ioLogger = ioLogger
        drainTimeout = Locked(configuration.drainTimeout)
    }

    /// Makes a `TCPServer`.
    public static func tcpListener(
        _ configuration: TCPServerConfiguration, logger: RocketLogger
    ) -> MakeListener {
        { main, sub, makeHandler in
            TCPServer(
                configuration: configuration, mainLoop: main, subLoops: sub, logger: logger,
                makeHandler: makeHandler)
        }
    }

    /// The present phase.
    public var state: State { lifecycle.withLock { $0.publicState } }

    /// The addresses of the listeners, with ports chosen by the kernel. Suspends until they are
    /// open, or the calling task is cancelled. Empty if the server could not start, if a drain was
    /// requested before `run()`, after it has stopped, and after a cancellation.
    public var boundAddresses: [NetAddress] {
        get async {
            await settled.wait(until: { hasSettled.load(ordering: .acquiring) })
            return lifecycle.withLock { $0.addresses }
        }
    }

    /// Connections open now; 0 unless it runs.
    public var connectionCount: Int { listener.withLock { $0 }?.connectionCount ?? 0 }

    /// The connections, the limits on them, and what those have refused; nil unless it runs.
    public var connectionCounts: ConnectionCounts? { listener.withLock { $0 }?.connectionCounts }

    /// The loops, the one that accepts first; empty unless it runs.
    public var loops: [EventLoop] { running.withLock { $0 } }

    /// Bytes in the buffers of all connections; 0 unless it runs.
    public var bufferedBytes: Int { listener.withLock { $0 }?.bufferedBytes ?? 0 }

    /// Changes how long a drain that begins later may take.
    public func update(drainTimeout: Duration) {
        self.drainTimeout.withLock { $0 = drainTimeout }
    }

    /// Stops accepting connections, and lets `run()` return when the open ones have finished, at
    /// the latest after `drainTimeout`. Does not wait. Before `run()`: `run()` will return at once.
    /// Again: no effect.
    public func beginDrain() { perform(.drain) }

    /// Serves until a drain is requested or the task is cancelled.
    ///
    /// - Throws: `SystemError` when a thread or its loop can't be created, `TCPListenError` for the
    ///   first listener that can't be opened, `ServerRuntimeError` on every use but the first.
    public func run() async throws {
        defer { settle() }
        switch perform(.run) {
        case .refuse: throw ServerRuntimeError.alreadyRun
        case .returnAtOnce: return
        default: break
        }
        defer { perform(.ended) }
        let threads = try await IOThreads(configuration, logger: ioLogger)
        running.withLock { $0 = threads.loops }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await serve(on: threads)) } catch { outcome = .failure(error) }
        listener.withLock { $0 = nil }
        running.withLock { $0 = [] }
        application.stop()
        await threads.shutdown()
        try outcome.get()
    }

    private func serve(on threads: IOThreads) async throws {
        application.start(on: threads.sub)
        let listener = makeListener(threads.main, threads.sub) { [application] in
            application.makeHandler(on: $0)
        }
        let addresses = try await start(listener, on: threads.main)
        self.listener.withLock { $0 = listener }
        perform(.listening(addresses))
        notifyReady(threads.loops)
        settle()
        logger.info("server started") {
            $0.add("addresses", addresses.map(\.description).joined(separator: " "))
            let wires = application.wires
            if !wires.isEmpty { $0.add("wires", wires.joined(separator: ", ")) }
            configuration.tcp.budget.describe(to: &$0)
        }
        configuration.tcp.budget.logMisfit(logger)
        for address in configuration.tcp.unserved(bound: addresses) {
            logger.warn(
                "a configured address is not served: the sockets are those passed by systemd"
            ) {
                $0.add("address", address)
            }
        }
        await withTaskCancellationHandler {
            await drainRequested.wait()
        } onCancel: {
            beginDrain()
        }
        let limit = Task.isCancelled ? .zero : drainTimeout.withLock { $0 }
        configuration.systemd?.stopping(within: limit)
        await application.finishInput()
        await drain(listener, within: limit)
        logger.info("server drained")
    }

    /// Drains the listener. If the task is cancelled meanwhile, what is open then is closed at once.
    private func drain(_ listener: any ConnectionListener, within limit: Duration) async {
        if limit == .zero { return await listener.drain(within: limit) }
        await withTaskCancellationHandler {
            await listener.drain(within: limit)
        } onCancel: {
            listener.stop()
        }
    }

    /// Notifies the service manager that all listeners are open, with the status of the application
    /// and the loops as watchdog targets.
    ///
    /// Before `settle`: only the first `SystemdReporter.ready` has an effect, and a program
    /// that awaits `boundAddresses` uses it without status and loops.
    private func notifyReady(_ loops: [EventLoop]) {
        guard let systemd = configuration.systemd else { return }
        for loop in loops { systemd.watch(loop.watchdogTarget) }
        systemd.describe { [weak self] in
            guard let self else { return "" }
            return application.status(connectionCount: connectionCount)
        }
        systemd.ready()
    }

    /// Passes the event to the state machine and performs the part of its action that is the same
    /// on every thread.
    @discardableResult
    private func perform(_ event: ServerLifecycle.Event) -> ServerLifecycle.Action {
        let (action, state) = lifecycle.withLock { ($0.handle(event), $0.state) }
        if action == .drain {
            application.drainRequested()
            drainRequested.fire()
        }
        if state == .stopped(hasRun: false) { settle() }
        return action
    }

    private func settle() {
        hasSettled.store(true, ordering: .releasing)
        settled.notify()
    }

    /// Starts the listener on its loop, since no thread that tasks need has to wait for the loop.
    private func start(_ listener: any ConnectionListener, on loop: EventLoop)
        async throws -> [NetAddress]
    {
        try await withCheckedThrowingContinuation { continuation in
            let isAccepted = loop.execute { _ in
                do throws(TCPListenError) {
                    continuation.resume(returning: try listener.start())
                } catch {
                    continuation.resume(throwing: error)
                }
            }
            precondition(isAccepted, "the main loop of a running server has not ended")
        }
    }
}

/// The threads of a running server. `shutdown` ends them; a value that is only dropped leaves them
/// running.
private struct IOThreads {
    /// The main one, then the sub reactors.
    private var threads: [any LoopThread] = []

    init(
        _ configuration: ServerRuntimeConfiguration, logger: RocketLogger
    ) async throws(SystemError) {
        precondition(
            configuration.ioThreads > 0, "ioThreads is 1 or more, not \(configuration.ioThreads)")
        var loops = EventLoopConfiguration()
        loops.slowCallback = configuration.slowCallback
        let names = ["main"] + (0..<configuration.ioThreads).map { "io-\($0)" }
        do {
            for name in names {
                // Connects are no calls, for which a core would be kept awake.
                loops.busyWait = threads.isEmpty ? .zero : configuration.busyWait
                threads.append(
                    try configuration.makeThread(
                        configuration.threadNamePrefix + name, loops, logger))
            }
        } catch {
            await shutdown()
            throw error
        }
    }

    var main: EventLoop { threads[0].loop }
    var sub: [EventLoop] { threads.dropFirst().map(\.loop) }
    var loops: [EventLoop] { threads.map(\.loop) }

    /// The sub reactors end before the main one.
    func shutdown() async {
        for thread in threads.dropFirst() { thread.stop() }
        for thread in threads.dropFirst() { await thread.ended() }
        threads.first?.stop()
        await threads.first?.ended()
    }
}
