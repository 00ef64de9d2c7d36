import RocketBase
import RocketReactor
import RocketSystem

/// The connections of one loop, and what they share: read buffers, and one timer for all their time
/// limits. Ends them when the loop ends first. Bound to the loop; one per reactor.
final class LoopConnections {
    private let reactor: Reactor
    // SAFETY of all three: bound to one thread, and nothing that runs inside an access uses them
    // again: the read buffer is moved out while a handler uses it.
    /// The buffer for reads of connections without leftovers.
    @exclusivity(unchecked) var readBuffer = ByteBuffer()
    @exclusivity(unchecked) var readSize = AdaptiveReadSize(least: 16 << 10, most: 256 << 10)
    @exclusivity(unchecked) var pool = BufferPool()

    /// All open connections of this loop, in no particular order.
    private(set) var connections: [TCPConnection] = []
    /// Connect operations that have not ended.
    private var operations: [ObjectIdentifier: ConnectOperation] = [:]
    /// Replaces what the kernel knows of a peer's answers, in tests.
    var injectedProgress: ((TCPConnection) -> TCPProgress)?
    private var sweepTimer: ScheduledTimer?
    private var sweepAt = MonotonicTime.distantFuture

    /// The shortest interval between sweeps, and so the precision of all time limits.
    private static let granularity = Duration.milliseconds(50)

    init(_ reactor: Reactor) { self.reactor = reactor }

    /// Returns the connections of this loop; creates the object on first use.
    static func of(_ reactor: Reactor) -> LoopConnections {
        reactor.attachment(LoopConnections.self) {
            let made = LoopConnections($0)
            $0.observeLoopEnd(made)
            return made
        }
    }

    func add(_ connection: TCPConnection) {
        connection.slot = connections.count
        connections.append(connection)
    }

    func remove(_ connection: TCPConnection) {
        let slot = connection.slot
        let last = connections.removeLast()
        if last === connection { return }
        connections[slot] = last
        last.slot = slot
    }

    func began(_ operation: ConnectOperation) {
        operations[ObjectIdentifier(operation)] = operation
    }

    func ended(_ operation: ConnectOperation) { operations[ObjectIdentifier(operation)] = nil }

    /// Makes the sweep run no later than `deadline`, when a time limit may pass.
    func expect(_ deadline: MonotonicTime) {
        if deadline >= sweepAt { return }
        sweepTimer?.cancel()
        sweepAt = max(deadline, reactor.now + Self.granularity)
        sweepTimer = reactor.schedule(after: sweepAt - reactor.now, label: "time limits") {
            [weak self] reactor in self?.sweep(now: reactor.now)
        }
    }

    private func sweep(now: MonotonicTime) {
        sweepTimer = nil
        sweepAt = .distantFuture
        var next = MonotonicTime.distantFuture
        // Backwards: a connection that closes is replaced by one that was checked already.
        for index in connections.indices.reversed() {
            next = min(next, connections[index].checkTimeLimits(at: now))
        }
        if next < .distantFuture { expect(next) }
    }
}

extension LoopConnections: LoopEndHandler {
    /// Closes each connection and cancels each connect operation, so that their handlers are
    /// notified.
    func loopEnding(on reactor: Reactor) {
        for connection in connections { connection.close(.now, reason: .stopped) }
        for operation in Array(operations.values) { operation.cancel() }
    }
}
