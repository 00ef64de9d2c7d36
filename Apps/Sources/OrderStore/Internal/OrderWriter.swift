import GRDB
import RocketSystem

/// A draft that waits for the writer, with its caller.
struct WriteRequest: Sendable {
    let draft: OrderDraft
    let caller: CheckedContinuation<Result<Order, OrderStoreError>, Never>
}

/// The only writer of a store, with group commit: commits all waiting drafts in one transaction,
/// then resumes their callers. While a commit waits for the disk, the next batch accumulates. So
/// under load a transaction has many orders, and without load an order does not wait.
///
/// `run` belongs to the writer's thread.
final class OrderWriter: Sendable {
    let queue: WaitingQueue<WriteRequest>
    private let pool: DatabasePool
    private let configuration: OrderStoreConfiguration
    private let time: any TimeSource
    private let counters: Locked<OrderStoreStatistics>

    /// Expired keys deleted per transaction at most, so that no commit takes much longer for it.
    private static let keysPerSweep = 512

    init(pool: DatabasePool, configuration: OrderStoreConfiguration, time: any TimeSource) {
        self.pool = pool
        self.configuration = configuration
        self.time = time
        self.queue = WaitingQueue(limit: configuration.maxWaiting)
        self.counters = Locked(OrderStoreStatistics())
    }

    var statistics: OrderStoreStatistics {
        var statistics = counters.withLock { $0 }
        statistics.waiting = queue.count
        return statistics
    }

    func countRefusal() { counters.withLock { $0.refusals += 1 } }

    /// Commits batch after batch until the queue is closed and empty.
    func run() {
        var batch: [WriteRequest] = []
        var nextSweep = Int64.min
        while queue.take(upTo: configuration.maxBatch, into: &batch) {
            let now = time.wall().nanoseconds / 1_000_000
            commit(batch, nowMilliseconds: now, nextSweep: &nextSweep)
        }
    }

    private func commit(
        _ batch: [WriteRequest], nowMilliseconds now: Int64, nextSweep: inout Int64
    ) {
        do {
            var transaction = OrderTransaction(
                nowMilliseconds: now, retentionMilliseconds: configuration.keyRetention.milliseconds
            )
            let mustSweep = now >= nextSweep
            var swept = 0
            try pool.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    for request in batch { try transaction.store(request.draft, in: db) }
                    if mustSweep {
                        swept = try transaction.deleteExpiredKeys(upTo: Self.keysPerSweep, in: db)
                    }
                    return .commit
                }
            }
            if mustSweep { nextSweep = swept < Self.keysPerSweep ? now + 60_000 : now }
            counters.withLock { [transaction] in
                $0.transactions += 1
                $0.orders += transaction.newOrders
                $0.repeats += transaction.repeats
            }
            for (request, result) in zip(batch, transaction.results) {
                request.caller.resume(returning: result)
            }
        } catch {
            counters.withLock { $0.failures += 1 }
            let failure = OrderStoreError(error)
            for request in batch { request.caller.resume(returning: .failure(failure)) }
        }
    }
}
