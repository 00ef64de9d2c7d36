import OrderStoring
import RocketSystem

/// The steps of a store's writer: the commit of a batch; then its orders are published, its callers
/// are resumed, and one thing is done that is due, an attempt to write in an outage or a step of the
/// retention.
struct WriterWorker: StoreWorker {
    private let writer: OrderWriter
    private var batch: [WriteRequest] = []
    /// The results of the batch; empty when its callers were resumed.
    private var results: [Result<Order, OrderStoreError>] = []
    private var gathering = BatchGathering()
    private var commitBegan = MonotonicTime(nanoseconds: 0)
    /// Whether the last step has committed a batch: orders don't wait for more than one thing that
    /// is due.
    private var isBehindBatch = false
    /// During an outage.
    private var nextRetry: MonotonicTime?
    private var retention: OrderRetention?

    init(_ writer: OrderWriter) {
        self.writer = writer
        retention = OrderRetention(writer.configuration)
    }

    mutating func step(for handle: any WorkerHandle) -> WorkerStep {
        resumeCallers()
        if isBehindBatch {
            isBehindBatch = false
            if doWhatIsDue() { return .again }
        }
        if gathering.isWaiting,
            let time = gathering.next(waiting: writer.queue.count, at: writer.time.monotonic())
        {
            return .sleep(until: time)
        }
        switch writer.queue.takeOrders(
            upTo: writer.configuration.maxBatch, into: &batch, for: handle)
        {
        case .taken:
            commitBegan = writer.time.monotonic()
            results = writer.commit(batch)
            isBehindBatch = true
            planRetry()
            return .again
        case .empty: return doWhatIsDue() ? .again : .sleep(until: nextRetry ?? retention?.due)
        case .finished:
            for event in retention?.end(at: writer.time.monotonic()) ?? [] {
                writer.observe(event)
            }
            return .finished
        }
    }

    private mutating func resumeCallers() {
        if results.isEmpty { return }
        gathering.committed(
            results.count, waiting: writer.queue.count, maxBatch: writer.configuration.maxBatch,
            began: commitBegan, at: writer.time.monotonic())
        writer.publish(results)
        for (request, result) in zip(batch, results) { request.caller.resume(returning: result) }
        results = []
    }

    /// - Returns: whether something was due.
    private mutating func doWhatIsDue() -> Bool {
        if nextRetry == nil, retention == nil { return false }
        let now = writer.time.monotonic()
        if let due = nextRetry {
            if now < due { return false }
            nextRetry = nil
            writer.retry()
        } else if let due = retention?.due {
            if now < due { return false }
            if var pass = retention.take() {
                writer.removeOldOrders(&pass)
                retention = pass
            }
        }
        planRetry()
        return true
    }

    private mutating func planRetry() {
        guard writer.isFailing else { return nextRetry = nil }
        nextRetry = nextRetry ?? writer.time.monotonic() + writer.retryInterval
    }
}
