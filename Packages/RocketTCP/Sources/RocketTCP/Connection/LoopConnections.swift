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
        if connections.isEmpty { cancelSweep() }
        if last === connection { return }
        connections[slot] = last
        last.slot = slot
    }

    func began(_ operation: ConnectOperation) { operations.insert(operation) }

    func ended(_ operation: ConnectOperation) { operations.remove(operation) }

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
/// used less than a quarter. A pure value.
struct AdaptiveReadSize {
    private(set) var bytes: Int32
    private let least: Int32
    private let most: Int32
    private var smallReads: Int32 = 0

    /// This many small reads in a row halve the size.
    private static let smallReadsToShrink: Int32 = 64

    init(least: Int32, most: Int32) {
        self.least = least
        self.most = most
        bytes = least
    }

    /// Records a read that returned `count` bytes and had space for `room`.
    mutating func record(count: Int, room: Int) {
        if count >= room {
            bytes = min(most, bytes * 2)
            smallReads = 0
        } else if count >= Int(bytes) / 4 {
            smallReads = 0
        } else if bytes > least {
            smallReads += 1
            if smallReads < Self.smallReadsToShrink { return }
            bytes = max(least, bytes / 2)
            smallReads = 0
        }
    }
}

/// Empty buffers for the next connection that needs one. A bounded value, owned by its loop's
/// `LoopConnections`.
struct BufferPool: ~Copyable {
    /// The most buffers that are kept.
    private static let slots = 256
    /// A buffer of at most this capacity is always kept while there is a slot.
    static let keepBytes = 64 << 10
    /// The most memory of all larger buffers together; others are freed. Keeping none would cost
    /// page faults over the whole length of each large delivery.
    private static let largeBytes = 16 << 20
    /// The capacity of a new buffer.
    private static let firstBytes = 1 << 10

    private var kept = InlineArray<256, ByteBuffer> { _ in ByteBuffer() }
    private var count = 0
    private var keptLargeBytes = 0

    /// Gives memory to `buffer`, which has none.
    mutating func take(into buffer: inout ByteBuffer) {
        if count > 0 {
            count -= 1
            swap(&kept[count], &buffer)
            if buffer.capacityBytes > Self.keepBytes { keptLargeBytes -= buffer.capacityBytes }
        } else {
            _ = buffer.reserve(Self.firstBytes)
        }
    }

    /// Frees all buffers.
    mutating func removeAll() {
        while count > 0 {
            count -= 1
            kept[count].shrink()
        }
        keptLargeBytes = 0
    }

    /// Takes the memory of `buffer`, which is empty.
    mutating func give(from buffer: inout ByteBuffer) {
        if buffer.capacityBytes == 0 { return }
        let large = buffer.capacityBytes > Self.keepBytes ? buffer.capacityBytes : 0
        if keptLargeBytes + large > Self.largeBytes || count == Self.slots {
            buffer.shrink()
        } else {
            keptLargeBytes += large
            swap(&kept[count], &buffer)
            count += 1
        }
    }
}
