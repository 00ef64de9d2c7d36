public import RocketBase
@_spi(Simulation) import RocketReactor
import RocketSystem
@_spi(Simulation) public import RocketTCP
public import ServiceLifecycle

/// Serves one chat room: one main reactor that accepts, `ioThreads` sub reactors that each own
/// their sessions from first byte to close.
///
/// A ServiceLifecycle `Service`: `run()` returns when the server has drained, after `beginDrain()`,
/// after a graceful shutdown of its `ServiceGroup`, or after its task was cancelled (then without
/// sending queued messages). Any thread.
public final class ChatServer: Service {
    private let application: ChatApplication
    private let runtime: ServerRuntime

    /// - Parameters:
    ///   - logger: for the chat itself: joins, leaves, refusals.
    ///   - frameworkLogger: for the layers below.
    public init(
        configuration: ChatServerConfiguration, logger: RocketLogger = .disabled,
        frameworkLogger: RocketLogger = .disabled
    ) {
        application = ChatApplication(
            limits: configuration.limits, backplane: configuration.backplane, logger: logger,
            time: configuration.broadcastTime)
        runtime = ServerRuntime(
            ServerRuntimeConfiguration(configuration), application: application, logger: logger,
            ioLogger: frameworkLogger)
    }

    /// The addresses of its listeners, with ports chosen by the kernel. Suspends until they are
    /// open; empty if the server has never started.
    public var boundAddresses: [NetAddress] { get async { await runtime.boundAddresses } }

    /// Sessions in the room now; 0 unless it runs.
    public var sessionCount: Int { application.room?.sessionCount ?? 0 }

    /// Waits until the condition holds for the number of sessions; returns at once unless the
    /// server runs.
    func sessionCount(is condition: (Int) -> Bool) async {
        guard let room = application.room else { return }
        await room.sessionCountChanged.wait { condition(room.sessionCount) }
    }

    /// Waits until the condition holds for the backplane; returns at once unless the server runs with
    /// one.
    func backplaneStatistics(are condition: (ChatBackplaneStatistics) -> Bool) async {
        await application.room?.backplaneStatistics(are: condition)
    }

    /// Sessions, buffered bytes and dropped messages now; all zero unless it runs.
    public var statistics: ChatStatistics {
        var statistics = application.statistics
        statistics.bufferedBytes = runtime.bufferedBytes
        return statistics
    }

    /// Sessions now that read too slowly: bytes are queued for them, `queueBytes` at most for each.
    package var slowReceivers: Int { application.room?.slowReceivers ?? 0 }

    /// Stops accepting clients and messages, sends what is queued, and lets `run()` return, at the
    /// latest after `drainTimeout`. Does not wait. Before `run()`: `run()` will return at once.
    public func beginDrain() { runtime.beginDrain() }

    /// Applies the part of a configuration that may change while the server runs: the limits of the
    /// sessions and the drain time-out.
    public func update(_ new: ChatServerConfiguration) {
        application.update(new.limits)
        runtime.update(drainTimeout: new.drainTimeout)
    }

    /// Serves until a drain is requested or its task is cancelled.
    ///
    /// - Throws: `SystemError` when a thread or its loop can't be created, `TCPListenError` when a
    ///   listener can't be opened, `ServerRuntimeError` on every use but the first.
    public func run() async throws {
        try await withGracefulShutdownHandler {
            try await runtime.run()
        } onGracefulShutdown: { [self] in
            beginDrain()
        }
    }
}

/// Connects the runtime of a server to its room: one room over all sub reactors, made when these
/// run.
private final class ChatApplication: ServerApplication {
    private struct State {
        var room: ChatRoom?
        var limits: ChatLimits
    }

    private let state: Locked<State>
    private let backplane: ChatBackplaneConfiguration?
    private let logger: RocketLogger
    private let time: (any TimeSource)?

    init(
        limits: ChatLimits, backplane: ChatBackplaneConfiguration?, logger: RocketLogger,
        time: (any TimeSource)?
    ) {
        state = Locked(State(limits: limits))
        self.backplane = backplane
        self.logger = logger
        self.time = time
    }

    /// Nil unless the server runs.
    var room: ChatRoom? { state.withLock { $0.room } }

    /// Everything but the buffers of the connections.
    var statistics: ChatStatistics {
        guard let room else { return ChatStatistics() }
        return ChatStatistics(
            sessions: room.sessionCount, queuedBytes: room.queuedBytes,
            droppedMessages: room.droppedMessages, backplane: room.backplaneStatistics)
    }

    func update(_ limits: ChatLimits) {
        let room = state.withLock { state in
            state.limits = limits
            return state.room
        }
        room?.update(limits)
    }

    // MARK: ServerApplication

    func start(on loops: [EventLoop]) {
        state.withLock {
            $0.room = ChatRoom(
                loops: loops, limits: $0.limits, logger: logger, time: time, backplane: backplane)
        }
    }

    func makeHandler(on reactor: Reactor) -> any TCPConnectionHandler {
        guard let room else { preconditionFailure("a connection without a room") }
        return room.makeSession(on: reactor)
    }

    func status(connectionCount: Int) -> String { statistics.description }

    /// Puts all messages received so far into the queues of their receivers.
    func finishInput() async { await room?.close() }

    func stop() { state.withLock { $0.room = nil } }
}

extension ServerRuntimeConfiguration {
    fileprivate init(_ configuration: ChatServerConfiguration) {
        self.init(tcp: configuration.tcp)
        threadNamePrefix = "chat-"
        ioThreads = configuration.ioThreads
        slowCallback = configuration.slowCallback
        drainTimeout = configuration.drainTimeout
        systemd = configuration.systemd
        if let make = configuration.makeThread { makeThread = make }
    }
}

/// Counters of a chat server. A value.
public struct ChatStatistics: Hashable, Sendable {
    /// Sessions in the room.
    public var sessions = 0
    /// Bytes queued for slow receivers, besides those in the output buffers of their connections.
    /// Bytes shared by several queues count once per queue.
    public var queuedBytes = 0
    /// Memory of the connections: of their buffers, and of the queues of slow receivers. Bytes shared
    /// by several count once per connection.
    public var bufferedBytes = 0
    /// Messages dropped from the queues of slow receivers, counted once per receiver.
    public var droppedMessages = 0
    /// How the messages reach other servers; nil: the room is in this process only.
    public var backplane: ChatBackplaneStatistics?
}

extension ChatStatistics: CustomStringConvertible {
    /// `12 sessions, 0 bytes wait for slow receivers, 0 messages dropped`; with a backplane
    /// `; 2 other servers, 0 messages missing, 0 unsent` behind it.
    public var description: String {
        "\(sessions) sessions, \(queuedBytes) bytes wait for slow receivers, "
            + "\(droppedMessages) messages dropped" + (backplane.map { "; \($0)" } ?? "")
    }
}
