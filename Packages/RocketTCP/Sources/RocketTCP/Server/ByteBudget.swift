import RocketReactor
public import RocketSystem
import Synchronization

/// One limit on the memory that a process holds for its peers: the buffers of all connections of the
/// servers that share it, and what layers above record. Any thread.
///
/// Above the limit those connections are closed that hold most, for longest, without progress: of
/// all loops, until a sixteenth of the limit is free. The loops choose together, which takes some
/// turns; where the held bytes grow meanwhile to the ceiling, an eighth above the limit, the loop
/// that records the excess closes connections of its own at once.
public final class ByteBudget: Sendable {
    /// The most bytes to hold.
    public let limitBytes: Int
    private let ceilingBytes: Int
    private let held = Atomic(0)
    private let isRelieving = Atomic(false)
    private let loops = Locked<[WeakLoop]>([])

    private struct WeakLoop: Sendable { weak let loop: EventLoop? }

    /// - Parameter limitBytes: the most bytes to hold; 1 MiB at least.
    public init(limitBytes: Int) {
        self.limitBytes = min(max(1 << 20, limitBytes), 1 << 60)
        ceilingBytes = self.limitBytes + self.limitBytes / 8
    }

    /// Half of the memory that this process may use: the smallest of what the machine has available
    /// now and of the limits of its control groups. The other half is for all else. 64 MiB at least;
    /// 1 GiB where nothing is known. Reads some files.
    public static func automaticLimitBytes(_ memory: SystemMemory = SystemMemory()) -> Int {
        max(64 << 20, (memory.availableBytes ?? 2 << 30) / 2)
    }

    /// The bytes that are held now.
    public var heldBytes: Int { held.load(ordering: .relaxed) }

    /// Records that `delta` bytes more are held; fewer, where it is negative. Where that exceeds the
    /// limit, connections are closed.
    ///
    /// - Returns: false when bytes were added and the ceiling is exceeded: give up what they are for.
    @discardableResult
    public func record(_ delta: Int) -> Bool {
        let total = held.add(delta, ordering: .relaxed).newValue
        if delta <= 0 || total <= limitBytes { return true }
        relieve()
        return total <= ceilingBytes
    }

    var isAboveCeiling: Bool { heldBytes > ceilingBytes }

    /// Adds loops whose connections may be closed for the budget.
    func add(_ added: [EventLoop]) {
        loops.withLock { loops in
            loops.removeAll { $0.loop == nil }
            for loop in added where !loops.contains(where: { $0.loop === loop }) {
                loops.append(WeakLoop(loop: loop))
            }
        }
    }
}

// MARK: - Relief

/// A connection that holds bytes of a budget. A value, for choosing among those of all loops.
struct ByteHolder: Sendable {
    let group: ObjectIdentifier
    let number: UInt64
    let bytes: Int
    /// Bytes, times the milliseconds without progress.
    let weight: Double

    func names(_ connection: TCPConnection) -> Bool {
        connection.number == number && ObjectIdentifier(connection.group) == group
    }

    /// Returns the heaviest ones that hold `excess` together.
    static func heaviest(_ holders: [ByteHolder], excess: Int) -> [ByteHolder] {
        var left = excess
        var chosen: [ByteHolder] = []
        for holder in holders.sorted(by: { $0.weight > $1.weight }) {
            if left <= 0 { break }
            left -= holder.bytes
            chosen.append(holder)
        }
        return chosen
    }
}

extension ByteBudget {
    /// What the loops have contributed to a choice.
    private struct Round {
        var missing: Int
        var holders: [ByteHolder] = []
    }

    /// Starts to close the connections that hold most, unless that is going on.
    private func relieve() {
        if isRelieving.exchange(true, ordering: .acquiringAndReleasing) { return }
        let excess = heldBytes - (limitBytes - limitBytes / 16)
        let loops = loops.withLock { $0.compactMap(\.loop) }
        collect(from: loops, excess: excess) { chosen in
            self.onEach(loops) { reactor in
                LoopConnections.of(reactor).close(chosen, of: self)
            } done: {
                self.isRelieving.store(false, ordering: .releasing)
            }
        }
    }

    private func collect(
        from loops: [EventLoop], excess: Int, _ done: @escaping @Sendable ([ByteHolder]) -> Void
    ) {
        let found = LockedBox<[ByteHolder]>([])
        onEach(loops) { reactor in
            let holders = ByteHolder.heaviest(
                LoopConnections.of(reactor).holders(of: self), excess: excess)
            found.value.withLock { $0 += holders }
        } done: {
            done(ByteHolder.heaviest(found.value.withLock { $0 }, excess: excess))
        }
    }

    /// Runs `body` on each loop that has not ended, then `done` on the last one.
    private func onEach(
        _ loops: [EventLoop], _ body: @escaping @Sendable (Reactor) -> Void,
        done: @escaping @Sendable () -> Void
    ) {
        let left = LockedBox(loops.count + 1)
        @Sendable func finishOne() {
            let isLast = left.value.withLock { left in
                left -= 1
                return left == 0
            }
            if isLast { done() }
        }
        for loop in loops {
            let isAccepted = loop.execute { reactor in
                body(reactor)
                finishOne()
            }
            if !isAccepted { finishOne() }
        }
        finishOne()
    }
}

/// A locked value that closures on several threads share.
private final class LockedBox<Value: Sendable>: Sendable {
    let value: Locked<Value>
    init(_ value: Value) { self.value = Locked(value) }
}
