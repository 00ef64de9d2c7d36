import GRDB
import RocketSystem

/// A draft on its way to disk, and who waits for it.
struct WaitingDraft: Sendable {
    let draft: OrderDraft
    let caller: CheckedContinuation<Result<Order, OrderStoreError>, Never>
}

/// The store's one writer: whatever waits is committed in one transaction, then all of its
/// callers are answered. While a commit waits for the disk the next batch gathers, so the
/// more orders come the fewer transactions each of them costs, and a lone one never waits for
/// company.
///
/// `run` belongs to the writer's thread.
final class OrderWriter: Sendable {
    let queue: WaitingQueue<WaitingDraft>
    private let pool: DatabasePool
    private let configuration: OrderStoreConfiguration
    private let time: any TimeSource
    private let counters: Locked<OrderStoreStatistics>

    /// Old keys forgotten per transaction at most, so that no commit takes long for it.
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
        var batch: [WaitingDraft] = []
        var nextSweep = Int64.min
        while queue.take(upTo: configuration.maxBatch, into: &batch) {
            let now = time.wall().nanoseconds / 1_000_000
            commit(batch, nowMilliseconds: now, nextSweep: &nextSweep)
        }
    }

    private func commit(
        _ batch: [WaitingDraft], nowMilliseconds now: Int64, nextSweep: inout Int64
    ) {
        do {
            var transaction = OrderTransaction(
                nowMilliseconds: now, retentionMilliseconds: configuration.keyRetention.milliseconds
            )
            let mustSweep = now >= nextSweep
            var swept = 0
            try pool.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    for waiting in batch { try transaction.place(waiting.draft, in: db) }
                    if mustSweep {
                        swept = try transaction.forgetOldKeys(upTo: Self.keysPerSweep, in: db)
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
            for (waiting, result) in zip(batch, transaction.results) {
                waiting.caller.resume(returning: result)
            }
        } catch {
            counters.withLock { $0.failures += 1 }
            let answer = OrderStoreError(error)
            for waiting in batch { waiting.caller.resume(returning: .failure(answer)) }
        }
    }
}
