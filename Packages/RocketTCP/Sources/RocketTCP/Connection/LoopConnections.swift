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
    private var operations = OrderedObjects<ConnectOperation>()
    /// Replaces what the kernel knows of a peer's answers, in tests.
    var injectedProgress: ((TCPConnection) -> TCPProgress)?
    /// Set while the pool holds more than it may for ever.
    private var poolTimer: ScheduledTimer?
    private var sweepTimer: ScheduledTimer?
    private var sweepAt = MonotonicTime.distantFuture

    /// The shortest interval between sweeps, and so the precision of all time limits.
    private static let granularity = Duration.milliseconds(50)

    /// The memory that the pool may hold for ever.
    static let idlePoolBytes = 1 << 20
    /// Buffers that nothing used for so long are freed.
    static let poolInterval = Duration.seconds(5)

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
        connection.slot = Int32(connections.count)
        connections.append(connection)
    }

    func remove(_ connection: TCPConnection) {
        let slot = connection.slot
        let last = connections.removeLast()
        if connections.isEmpty { cancelSweep() }
        if last === connection { return }
        connections[Int(slot)] = last
        last.slot = slot
    }

    func began(_ operation: ConnectOperation) { operations.insert(operation) }

    func ended(_ operation: ConnectOperation) { operations.remove(operation) }

    /// Takes the memory of `buffer`, which is empty, for the next connection that needs some.
    func keep(_ buffer: inout ByteBuffer) {
        unsafe pool.give(from: &buffer)
        if poolTimer == nil, unsafe pool.bytes > Self.idlePoolBytes { releaseUnusedLater() }
    }

    /// Frees what nothing uses of the pool after a burst: most of it after two intervals.
    private func releaseUnusedLater() {
        poolTimer = reactor.schedule(after: Self.poolInterval, label: "unused buffers") {
            [weak self] _ in self?.releaseUnused()
        }
    }

    private func releaseUnused() {
        poolTimer = nil
        unsafe pool.releaseUnused()
        if unsafe pool.bytes > Self.idlePoolBytes { releaseUnusedLater() }
    }

    /// Makes the sweep run no later than `deadline`, when a time limit may pass.
    func expect(_ deadline: MonotonicTime) {
        if deadline >= sweepAt { return }
        sweepTimer?.cancel()
        sweepAt = max(deadline, reactor.now + Self.granularity)
        sweepTimer = reactor.schedule(after: sweepAt - reactor.now, label: "time limits") {
            [weak self] reactor in self?.sweep(now: reactor.now)
        }
    }

    /// Without connections nothing is left for it to check.
    private func cancelSweep() {
        sweepTimer?.cancel()
        sweepTimer = nil
        sweepAt = .distantFuture
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
    /// notified: operations in the order in which they began, and before connections, since the end
    /// of a handshake would have an operation try its next address.
    func loopEnding(on reactor: Reactor) {
        for operation in operations.inOrder { operation.cancel() }
        for connection in connections { connection.close(.now, reason: .stopped) }
    }
}

/// The size of the next read: doubled when a read filled its space, halved when many reads in a row
/// used less than a quarter. A pure value of 8 bytes: each connection has one.
struct AdaptiveReadSize {
    private(set) var bytes: Int32
    private let leastPower, mostPower: UInt8
    private var smallReads: UInt8 = 0

    /// This many small reads in a row halve the size.
    private static let smallReadsToShrink: UInt8 = 64

    /// - Parameters: powers of two.
    init(least: Int32, most: Int32) {
        precondition(least.nonzeroBitCount == 1 && most.nonzeroBitCount == 1 && least <= most)
        leastPower = UInt8(least.trailingZeroBitCount)
        mostPower = UInt8(most.trailingZeroBitCount)
        bytes = least
    }

    /// Whether it can't become larger.
    var isLargest: Bool { bytes == 1 << mostPower }

    /// Records a read that returned `count` bytes and had space for `room`.
    mutating func record(count: Int, room: Int) {
        if count >= room {
            bytes = min(1 << mostPower, bytes * 2)
            smallReads = 0
        } else if count >= Int(bytes) / 4 {
            smallReads = 0
        } else if bytes > 1 << leastPower {
            smallReads += 1
            if smallReads < Self.smallReadsToShrink { return }
            bytes /= 2
            smallReads = 0
        }
    }
}
