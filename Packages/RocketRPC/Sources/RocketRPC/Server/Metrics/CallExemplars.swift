import RocketBase
import RocketCodec
public import RocketSystem
import Synchronization

/// The last traced calls of one loop, one for each method and range of latencies. The loop writes them,
/// any thread reads, without a lock: each slot has a version, which is odd while it is written.
///
/// A method's slots are made at its first traced call.
// SAFETY: the pointers are to memory of this object, which it frees last; each row is initialized
// before its pointer is published, and indices are below the numbers that it was made with.
@safe final class CallExemplars: @unchecked Sendable {
    private typealias Word = Atomic<UInt64>
    private typealias Row = UnsafeMutablePointer<Word>

    /// The words of a slot.
    private enum Field {
        static let version = 0
        static let traceHigh = 1
        static let traceLow = 2
        static let span = 3
        static let duration = 4
        static let endedAt = 5
        static let count = 6
    }

    /// Eight buckets of `RPCLatencyHistogram` have one slot: each doubling of the latency.
    static let slotCount = RPCLatencyHistogram.bucketCount / 8
    /// A reader gives a slot up that is written again and again.
    private static let attempts = 4

    private let rows: UnsafeMutablePointer<Atomic<Row?>>
    private let methodCount: Int

    init(methodCount: Int) {
        self.methodCount = methodCount
        unsafe rows = .allocate(capacity: methodCount)
        for index in 0..<methodCount { unsafe (rows + index).initialize(to: Atomic(nil)) }
    }

    deinit {
        for index in 0..<methodCount {
            if let row = unsafe rows[index].load(ordering: .acquiring) {
                unsafe row.deinitialize(count: Self.slotCount * Field.count)
                unsafe row.deallocate()
            }
        }
        unsafe rows.deinitialize(count: methodCount)
        unsafe rows.deallocate()
    }

    // MARK: On the loop

    /// Records a call in place of the last one that took about as long.
    ///
    /// - Parameters:
    ///   - duration: in nanoseconds.
    ///   - now: the loop's clock, in nanoseconds.
    func record(_ trace: TraceParent, _ duration: UInt64, of method: Int, at now: UInt64) {
        let slot = unsafe slot(RPCLatencyHistogram.bucket(of: duration) / 8, of: row(method))
        let version = unsafe slot[Field.version].load(ordering: .relaxed)
        unsafe slot[Field.version].store(version &+ 1, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        unsafe slot[Field.traceHigh].store(trace.traceID.high, ordering: .relaxed)
        unsafe slot[Field.traceLow].store(trace.traceID.low, ordering: .relaxed)
        unsafe slot[Field.span].store(trace.span, ordering: .relaxed)
        unsafe slot[Field.duration].store(duration, ordering: .relaxed)
        unsafe slot[Field.endedAt].store(now, ordering: .relaxed)
        unsafe slot[Field.version].store(version &+ 2, ordering: .releasing)
    }

    private func slot(_ index: Int, of row: Row) -> Row { unsafe row + index * Field.count }

    private func row(_ index: Int) -> Row {
        if let row = unsafe rows[index].load(ordering: .relaxed) { return unsafe row }
        let row = Row.allocate(capacity: Self.slotCount * Field.count)
        for word in 0..<Self.slotCount * Field.count { unsafe (row + word).initialize(to: Word(0)) }
        unsafe rows[index].store(row, ordering: .releasing)
        return unsafe row
    }

    // MARK: On any thread

    /// A call of a slot. A value.
    struct Entry: Hashable {
        var trace: TraceParent
        var duration: UInt64
        var endedAt: UInt64
    }

    /// Puts the calls of a method into `newest`, which has an element for each slot, where they have
    /// ended later than those.
    func read(_ method: Int, into newest: inout [Entry?]) {
        guard let row = unsafe rows[method].load(ordering: .acquiring) else { return }
        for index in 0..<Self.slotCount {
            guard let entry = unsafe read(slot(index, of: row)),
                entry.endedAt >= newest[index]?.endedAt ?? 0
            else { continue }
            newest[index] = entry
        }
    }

    private func read(_ slot: Row) -> Entry? {
        for _ in 0..<Self.attempts {
            let version = unsafe slot[Field.version].load(ordering: .acquiring)
            if version == 0 { return nil }
            let entry = unsafe Entry(
                trace: TraceParent(
                    traceID: TraceID(
                        high: slot[Field.traceHigh].load(ordering: .relaxed),
                        low: slot[Field.traceLow].load(ordering: .relaxed)),
                    span: slot[Field.span].load(ordering: .relaxed), isSampled: true),
                duration: slot[Field.duration].load(ordering: .relaxed),
                endedAt: slot[Field.endedAt].load(ordering: .relaxed))
            atomicMemoryFence(ordering: .acquiring)
            if version & 1 == 0, unsafe slot[Field.version].load(ordering: .relaxed) == version {
                return entry
            }
        }
        return nil
    }
}

extension RPCServerSnapshot {
    /// A call of a trace that is an example for how long calls of its method take: the last one of
    /// about that latency whose caller has sent a `traceparent` with the flag sampled.
    public struct Exemplar: Hashable, Sendable {
        /// 32 hexadecimal digits.
        public var traceID: String
        /// That of the caller's span: 16 hexadecimal digits.
        public var spanID: String
        /// As in `Method.latency`.
        public var duration: Duration
        /// When it ended.
        public var time: WallTime

        /// Creates an example.
        public init(traceID: String, spanID: String, duration: Duration, time: WallTime) {
            self.traceID = traceID
            self.spanID = spanID
            self.duration = duration
            self.time = time
        }
    }
}
