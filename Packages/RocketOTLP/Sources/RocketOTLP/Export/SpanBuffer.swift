import RocketSystem

/// Takes the spans that have ended, until the exporter takes them out, and counts what becomes of them.
/// Any thread: a span that ends waits for nothing but the lock of the queue.
final class SpanBuffer: Sendable {
    private struct State {
        var queue: SpanQueue
        var isFlushRequested = false
        var isShutDown = false
        /// After the last export: whatever comes is dropped.
        var isClosed = false
        var statistics = OTLPStatistics()
    }

    private let state: Locked<State>
    private let batch: Int
    /// Wakes the exporter.
    private let changed = AsyncEvent()

    init(queue: Int, batch: Int) {
        state = Locked(State(queue: SpanQueue(limit: queue)))
        self.batch = batch
    }

    // MARK: Of spans

    func add(_ record: SpanRecord) {
        let (span, bytes) = SpanEncoding.message(of: record)
        let wakes = state.withLock { state in
            if state.isClosed {
                state.statistics.droppedSpans += 1
                return false
            }
            let before = (isEmpty: state.queue.count == 0, isFull: state.queue.isFull(batch: batch))
            state.queue.add(span, bytes: bytes)
            return before.isEmpty || !before.isFull && state.queue.isFull(batch: batch)
        }
        if wakes { changed.notify() }
    }

    /// Has what waits exported at once; without effect on later spans.
    func requestFlush() {
        state.withLock { $0.isFlushRequested = $0.queue.count > 0 }
        changed.notify()
    }

    // MARK: Of the exporter

    /// No more spans come, or few.
    func shutDown() {
        state.withLock { $0.isShutDown = true }
        changed.notify()
    }

    /// A timer of the exporter has ended.
    func wake() { changed.notify() }

    var isShutDown: Bool { state.withLock { $0.isShutDown } }

    /// What waits.
    var queue: ExportSchedule.Queue {
        state.withLock {
            ExportSchedule.Queue(
                isEmpty: $0.queue.count == 0, isFull: $0.queue.isFull(batch: batch),
                isFlushRequested: $0.isFlushRequested)
        }
    }

    /// Waits until something is other than the exporter knows, a time is over, or the task is cancelled.
    func wait(
        while known: ExportSchedule.Queue, isShutDown: Bool, orUntil isOver: () -> Bool
    ) async {
        await changed.wait {
            isOver() || queue != known || self.isShutDown != isShutDown
        }
    }

    /// Takes the spans of one export out.
    func take() -> [OTLPSpan] {
        state.withLock { state in
            let spans = state.queue.take(upTo: batch)
            if state.queue.count == 0 { state.isFlushRequested = false }
            return spans
        }
    }

    /// Changes the counts.
    func count(_ body: (inout OTLPStatistics) -> Void) { state.withLock { body(&$0.statistics) } }

    /// Drops what is left, and whatever comes later.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.statistics.failedSpans += UInt64(state.queue.removeAll())
        }
    }

    /// All counts.
    var statistics: OTLPStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waitingSpans = state.queue.count
            statistics.droppedSpans += state.queue.dropped
            return statistics
        }
    }
}
