import RocketReactor
public import RocketSystem
import Synchronization

/// One limit on the memory that a process holds for its peers: the buffers of all connections of the
/// servers that share it, and what layers above record. Any thread.
///
/// Above the limit those connections are closed that hold most, for longest, without progress: of
/// all loops, until a sixteenth of the limit is free. The loops choose together, which takes some
/// turns; where the held bytes grow meanwhile to the ceiling, an eighth above the limit, the loop
/// that records the excess closes connections of its own at once. Layers above hold half of the
/// limit at most, and are refused beyond: what they hold costs no connection the other half.
public final class ByteBudget: Sendable {
    /// The most bytes to hold.
    public let limitBytes: Int
    /// The most bytes that layers above may hold of them: half.
    public let recordLimitBytes: Int
    /// The memory that the process may use, as it was when the budget was made; nil: unknown.
    let memory: MemoryLimit?
    let isAutomatic: Bool
    private let ceilingBytes: Int
    /// All bytes, and those of them that layers above have recorded.
    private let held = Atomic(0), recorded = Atomic(0)
    private let isRelieving = Atomic(false)
    /// The most bytes that were held, and what was closed or refused for the limit.
    private let most = Atomic(0), excesses = Atomic(0)
    private let loops = Locked<[WeakLoop]>([])

    private struct WeakLoop: Sendable { weak let loop: EventLoop? }

    /// - Parameters:
    ///   - limitBytes: the most bytes to hold; 1 MiB at least.
    ///   - memory: the memory that the process may use. A server logs a warning at its start if the
    ///     budget does not fit into it. nil: that of its start.
    public convenience init(limitBytes: Int, memory: MemoryLimit? = nil) {
        self.init(limitBytes: limitBytes, memory: memory, isAutomatic: false)
    }

    private init(limitBytes: Int, memory: MemoryLimit?, isAutomatic: Bool) {
        self.limitBytes = min(max(1 << 20, limitBytes), 1 << 60)
        self.memory = memory
        self.isAutomatic = isAutomatic
        recordLimitBytes = self.limitBytes / 2
        ceilingBytes = self.limitBytes + self.limitBytes / 8
    }

    /// Returns a budget that is a share of the memory that this process may use: 4/9 of what 32 MiB
    /// leave of it, an eighth of it at least. Where only the size of the machine is known, 1 GiB of
    /// it counts at most; 256 MiB where nothing is known. Default: the memory of now; reads some
    /// files.
    public static func automatic(memory: MemoryLimit? = SystemMemory().limit) -> ByteBudget {
        ByteBudget(
            limitBytes: BudgetShare.automaticBytes(of: memory), memory: memory,
            isAutomatic: true)
    }

    /// The bytes that are held now.
    public var heldBytes: Int { held.load(ordering: .relaxed) }
    /// The most bytes that were held at the same time, as far as threads that add some at once can tell.
    public var mostHeldBytes: Int { max(heldBytes, most.load(ordering: .relaxed)) }
    /// How often a connection was closed, or a layer above refused, because of the limit.
    public var excessCount: Int { excesses.load(ordering: .relaxed) }

    /// Counts a connection that was closed for the limit, or a refusal.
    func countExcess() { excesses.wrappingAdd(1, ordering: .relaxed) }

    private func observe(_ total: Int) {
        if total > most.load(ordering: .relaxed) { most.store(total, ordering: .relaxed) }
    }

    /// Records that a layer above holds `delta` bytes more; fewer, where it is negative. Where all
    /// bytes exceed the limit, connections are closed.
    ///
    /// - Returns: false when the bytes exceed `recordLimitBytes` or the ceiling: give up what they
    ///   are for. They are not recorded then.
    @discardableResult
    public func record(_ delta: Int) -> Bool {
        let above = recorded.add(delta, ordering: .relaxed).newValue
        let total = held.add(delta, ordering: .relaxed).newValue
        if delta <= 0 { return true }
        observe(total)
        let hasShare = above <= recordLimitBytes
        if hasShare, total > limitBytes { relieve() }
        if hasShare, total <= ceilingBytes { return true }
        recorded.subtract(delta, ordering: .relaxed)
        held.subtract(delta, ordering: .relaxed)
        countExcess()
        return false
    }

    /// Records that connections hold `delta` bytes more, whatever the limit; fewer, where it is
    /// negative.
    ///
    /// - Returns: false when bytes were added and the ceiling is exceeded.
    @discardableResult
    func recordConnections(_ delta: Int) -> Bool {
        let total = held.add(delta, ordering: .relaxed).newValue
        if delta > 0 { observe(total) }
        if delta <= 0 || total <= limitBytes { return true }
        relieve()
        return total <= ceilingBytes
    }

    /// Bytes above the ceiling; negative below it.
    var bytesAboveCeiling: Int { heldBytes - ceilingBytes }
    /// Bytes to free, so that a sixteenth of the limit is free; negative: none.
    private var excess: Int { heldBytes - (limitBytes - limitBytes / 16) }

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
    struct ID: Hashable, Sendable {
        let group: ObjectIdentifier
        let number: UInt64
    }

    let id: ID
    let bytes: Int
    /// Bytes, times the milliseconds without progress, of which no more than a second counts: among
    /// those that have waited for longer the bytes decide.
    let weight: Double
    /// The time without progress, which decides between equal weights.
    let stalled: Duration

    func isHeavier(than other: ByteHolder) -> Bool {
        weight == other.weight ? stalled > other.stalled : weight > other.weight
    }

    /// Returns the heaviest ones that hold `excess` together.
    static func heaviest(_ holders: [ByteHolder], excess: Int) -> [ByteHolder] {
        var left = excess
        var chosen: [ByteHolder] = []
        for holder in holders.sorted(by: { $0.isHeavier(than: $1) }) {
            if left <= 0 { break }
            left -= holder.bytes
            chosen.append(holder)
        }
        return chosen
    }
}

extension ByteBudget {
    /// Frees unused memory of connections, then starts to close those that hold most, unless that
    /// is going on.
    private func relieve() {
        if isRelieving.exchange(true, ordering: .acquiringAndReleasing) { return }
        let loops = loops.withLock { $0.compactMap(\.loop) }
        collect(from: loops) { chosen, excess in
            self.onEach(loops) { reactor in
                LoopConnections.of(reactor).close(chosen)
            } done: {
                self.isRelieving.store(false, ordering: .releasing)
                // What was recorded meanwhile has started nothing. Where there was something to
                // close and nothing to choose, another round would choose nothing, too.
                let canFree = !chosen.isEmpty || excess <= 0
                if canFree, self.heldBytes > self.limitBytes { self.relieve() }
            }
        }
    }

    /// - Parameter done: is passed the chosen ones, and the bytes that were to be freed.
    private func collect(
        from loops: [EventLoop], _ done: @escaping @Sendable ([ByteHolder], Int) -> Void
    ) {
        let found = LockedBox<[ByteHolder]>([])
        onEach(loops) { reactor in
            let connections = LoopConnections.of(reactor)
            connections.trim(for: self)
            let holders = ByteHolder.heaviest(connections.holders(of: self), excess: self.excess)
            found.value.withLock { $0 += holders }
        } done: {
            let excess = self.excess
            done(ByteHolder.heaviest(found.value.withLock { $0 }, excess: excess), excess)
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
