@_spi(Simulation) import ChatServerKit
import RocketBase
@_spi(Simulation) import RocketSimulation
import RocketSystem
import RocketTCP

/// The chat server of one host: the one of the present process, or of the last one. Bound to the
/// world's thread.
final class ChatService: Sendable {
    private struct State {
        var limits: ChatLimits
        var server: ChatServer?
        var budget: ByteBudget?
        var isRunning = false
    }

    private let configuration: ChatServerConfiguration
    private let largestQueueBytes: Int
    private let state: Locked<State>

    /// - Parameter others: limits that are set later.
    init(_ configuration: ChatServerConfiguration, others: [ChatLimits]) {
        self.configuration = configuration
        largestQueueBytes = others.map(\.queueBytes).reduce(configuration.limits.queueBytes, max)
        state = Locked(State(limits: configuration.limits))
    }

    /// Starts the server in a process of its host.
    func start(on host: Host) {
        var configuration = configuration
        configuration.limits = state.withLock { $0.limits }
        // Of its own, as each process has one.
        configuration.tcp.budget = ByteBudget(limitBytes: configuration.tcp.budget.limitBytes)
        configuration.makeThread = host.makeThread
        configuration.broadcastTime = BusyTime(of: host, seed: host.world.seed &+ host.starts)
        let server = ChatServer(configuration: configuration, logger: host.world.logger)
        let budget = configuration.tcp.budget
        state.withLock { ($0.server, $0.budget, $0.isRunning) = (server, budget, true) }
        host.run(stoppedBy: { server.beginDrain() }) { [self] in
            try await server.run()
            state.withLock { if $0.server === server { $0.isRunning = false } }
        }
        host.world.always(.limit) { [weak host, weak self] in
            guard let host, let self, host.isRunning, state.withLock({ $0.server === server })
            else { return nil }
            return brokenLimit(of: server, budget)
        }
    }

    var isRunning: Bool { state.withLock { $0.isRunning } }
    var sessionCount: Int { state.withLock { $0.server }?.sessionCount ?? 0 }
    /// Bytes of the memory budget that are in use.
    var heldBytes: Int { state.withLock { $0.budget }?.heldBytes ?? 0 }
    func beginDrain() { state.withLock { $0.server }?.beginDrain() }

    /// Changes the limits, as a reload of the configuration does.
    func update(_ limits: ChatLimits) {
        var changed = configuration
        changed.limits = limits
        let server = state.withLock { state in
            state.limits = limits
            return state.server
        }
        server?.update(changed)
    }

    // MARK: Limits

    private func brokenLimit(of server: ChatServer, _ budget: ByteBudget) -> String? {
        let statistics = server.statistics
        let (sessions, most) = (statistics.sessions, configuration.tcp.maxConnections)
        if sessions > most { return "\(sessions) sessions, more than \(most)" }
        let slow = server.slowReceivers
        let queued = statistics.queuedBytes
        if queued > slow * largestQueueBytes || queued < slow || slow < 0 || slow > sessions {
            return "\(queued) bytes are queued for \(slow) receivers of \(sessions), and at most "
                + "\(largestQueueBytes) for one"
        }
        let ceiling = budget.limitBytes + budget.limitBytes / 8
        if budget.heldBytes > ceiling {
            return "\(budget.heldBytes) bytes are held, more than \(ceiling)"
        }
        return nil
    }
}

/// The clock that measures broadcasts: each of its readings is late by a few milliseconds at most,
/// as if the writes took that time. (In a world, a tick takes none.) Any thread.
private final class BusyTime: TimeSource {
    private let time: any TimeSource
    private let random: Locked<SeededGenerator>

    init(of host: Host, seed: UInt64) {
        time = host.time
        random = Locked(SeededGenerator(seed: seed))
    }

    func monotonic() -> MonotonicTime {
        time.monotonic() + random.withLock { $0.duration(in: .zero...(.milliseconds(8))) }
    }

    func wall() -> WallTime { time.wall() }
}
