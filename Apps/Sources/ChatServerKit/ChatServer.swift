public import RocketBase
import RocketReactor
import RocketSystem
import RocketSystemd
public import RocketTCP
public import ServiceLifecycle

/// Serves one chat room: one main reactor that accepts, `ioThreads` sub reactors that each own
/// their sessions from first byte to close.
///
/// A ServiceLifecycle `Service`: `run()` returns when the server has drained, after `beginDrain()`
/// or a graceful shutdown of its `ServiceGroup`. Any thread.
public final class ChatServer: Service {
    private let configuration: ChatServerConfiguration
    private let logger: RocketLogger
    private let frameworkLogger: RocketLogger
    private let state: Locked<State>
    private let drainRequested = AsyncSignal()
    private let started = AsyncSignal()

    private struct State {
        var addresses: [NetAddress] = []
        var room: ChatRoom?
        var tcp: TCPServer?
        var hasRun = false
        var limits: ChatLimits
        var drainTimeout: Duration
    }

    /// - Parameters:
    ///   - logger: gets what the chat has to say: joins, leaves, refusals.
    ///   - frameworkLogger: gets what the layers below have to say.
    public init(
        configuration: ChatServerConfiguration, logger: RocketLogger = .disabled,
        frameworkLogger: RocketLogger = .disabled
    ) {
        self.configuration = configuration
        self.logger = logger
        self.frameworkLogger = frameworkLogger
        state = Locked(
            State(limits: configuration.limits, drainTimeout: configuration.drainTimeout))
    }

    /// Where it listens, with ports that the kernel chose; waits until it does. Empty when it
    /// never started.
    public var boundAddresses: [NetAddress] {
        get async {
            await started.wait()
            return state.withLock { $0.addresses }
        }
    }

    /// Sessions in the room now.
    public var sessionCount: Int { state.withLock { $0.room }?.sessionCount ?? 0 }

    /// Waits until the number of sessions is such a one; not at all when it does not run.
    func sessionCount(is condition: (Int) -> Bool) async {
        guard let room = state.withLock({ $0.room }) else { return }
        await room.sessionsBell.wait { condition(room.sessionCount) }
    }

    /// What it holds and has lost, as of now; all zero when it does not run.
    public var statistics: ChatStatistics {
        let (room, tcp) = state.withLock { ($0.room, $0.tcp) }
        return ChatStatistics(
            sessions: room?.sessionCount ?? 0, queuedBytes: room?.queuedBytes ?? 0,
            bufferedBytes: tcp?.bufferedBytes ?? 0, droppedMessages: room?.droppedMessages ?? 0)
    }

    /// Takes no more clients and no more messages, sends what waits, and lets `run()` return, at
    /// the latest after `drainTimeout`. Does not wait.
    public func beginDrain() { drainRequested.fire() }

    /// Takes over what may change while it runs: the sessions' limits and the drain time-out.
    public func update(_ new: ChatServerConfiguration) {
        let room = state.withLock { state in
            state.limits = new.limits
            state.drainTimeout = new.drainTimeout
            return state.room
        }
        room?.update(new.limits)
    }

    /// Serves until it is told to stop. Once.
    ///
    /// - Throws: `SystemError` where threads can't be had, `TCPListenError` where it can't listen.
    public func run() async throws {
        defer { started.fire() }
        let isFirst = state.withLock { state in
            defer { state.hasRun = true }
            return !state.hasRun
        }
        precondition(isFirst, "a chat server runs once")
        var loops = EventLoopConfiguration()
        loops.slowCallback = configuration.slowCallback
        let main = try IOThread(name: "chat-main", configuration: loops, logger: frameworkLogger)
        let subs: IOThreadGroup
        do {
            subs = try IOThreadGroup(
                count: configuration.ioThreads, namePrefix: "chat-io-", configuration: loops,
                logger: frameworkLogger)
        } catch {
            main.stop()
            await main.ended()
            throw error
        }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await serve(main.loop, subs.loops)) } catch {
            outcome = .failure(error)
        }
        state.withLock { ($0.room, $0.tcp) = (nil, nil) }
        await subs.shutdown()
        main.stop()
        await main.ended()
        try outcome.get()
    }

    private func serve(_ main: EventLoop, _ subs: [EventLoop]) async throws {
        let room = ChatRoom(loops: subs, limits: state.withLock { $0.limits }, logger: logger)
        let tcp = TCPServer(
            configuration: configuration.tcp, mainLoop: main, subLoops: subs,
            logger: frameworkLogger
        ) { room.makeSession(on: $0) }
        let addresses = try tcp.start()
        state.withLock { state in
            state.addresses = addresses
            state.room = room
            state.tcp = tcp
        }
        tellReady([main] + subs)
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
        let limit = Task.isCancelled ? .zero : state.withLock { $0.drainTimeout }
        configuration.systemd?.stopping(within: limit)
        // What was said before stands in the receivers' queues before they are closed.
        await room.close()
        await tcp.drain(within: limit)
        logger.info("server drained")
    }

    /// All listeners are bound: tells the service manager, and lets its watchdog ask the loops.
    private func tellReady(_ loops: [EventLoop]) {
        guard let systemd = configuration.systemd else { return }
        for loop in loops { systemd.watch(loop.watchdogTarget) }
        systemd.describe { [weak self] in self?.statistics.description ?? "" }
        systemd.ready()
    }
}
