import RocketBase
import RocketReactor
import RocketSystem

/// What the connections of one loop share: buffers that nobody holds while idle, and one timer
/// for all their time limits; and their end, when the loop ends first. Bound to the loop; one per
/// reactor.
final class LoopConnections {
    let reactor: Reactor
    // SAFETY of all three: bound to one thread, and nothing that runs inside an access comes back
    // to them: the read buffer is moved out while a handler has it.
    /// Reads of connections without leftovers go here.
    @exclusivity(unchecked) var readBuffer = ByteBuffer()
    @exclusivity(unchecked) var readSize = AdaptiveReadSize(least: 16 << 10, most: 256 << 10)
    @exclusivity(unchecked) var pool = BufferPool()

    /// Every open connection of this loop, in no order.
    private(set) var connections: [TCPConnection] = []
    /// Connecting that is under way.
    private var operations: [ObjectIdentifier: ConnectOperation] = [:]
    private var sweepTimer: ScheduledTimer?
    private var sweepAt = MonotonicTime.distantFuture

    /// Sweeps are at least this far apart: no time limit is exact to less.
    static let granularity = Duration.milliseconds(50)

    init(_ reactor: Reactor) { self.reactor = reactor }

    /// This loop's resources, made on first use.
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

    /// A time limit passes at `deadline` unless something happens before.
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
        // Backwards: one that closes is replaced by one that was looked at already.
        for index in connections.indices.reversed() {
            guard let deadline = connections[index].nextDeadline else { continue }
            if deadline.time <= now {
                connections[index].expire(deadline.reason)
            } else {
                next = min(next, deadline.time)
            }
        }
        if next < .distantFuture { expect(next) }
    }
}

extension LoopConnections: LoopEndHandler {
    /// Each connection hears its end, each attempt to connect its failure.
    func loopEnding(on reactor: Reactor) {
        for connection in connections { connection.close(.now, reason: .stopped) }
        for operation in Array(operations.values) { operation.cancel() }
    }
}
