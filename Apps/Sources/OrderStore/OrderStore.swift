import Foundation
import GRDB
public import RocketSystem

/// Orders on disk: SQLite in WAL mode with synchronous=FULL, so that an order that was confirmed
/// survives kill -9 and a power cut.
///
/// Callers on any thread or loop suspend; the database has threads of its own, one that writes with
/// group commit and `readerThreads` that read. `close()` ends them.
public final class OrderStore: Sendable {
    /// The configuration that it was opened with.
    public let configuration: OrderStoreConfiguration
    private let pool: DatabasePool
    private let writer: OrderWriter
    private let reader: OrderReader
    private let threads = DatabaseThreads()

    /// Opens the store, creates its folder and file if they are missing, and migrates an older
    /// file. Blocks for as long as the disk takes.
    ///
    /// - Throws: `OrderStoreError.cannotOpen` or `.newerSchema`.
    public init(
        _ configuration: OrderStoreConfiguration, time: any TimeSource = SystemTimeSource()
    ) throws(OrderStoreError) {
        self.configuration = configuration
        pool = try OrderDatabase.open(configuration)
        writer = OrderWriter(pool: pool, configuration: configuration, time: time)
        reader = OrderReader(pool: pool, configuration: configuration)
        threads.start(name: "order-writer") { [writer] in writer.run() }
        for number in 1...max(1, configuration.readerThreads) {
            threads.start(name: "order-reader-\(number)") { [reader] in reader.run() }
        }
    }

    /// Stores an order, and returns when it is on disk. If the store has an order with the same
    /// idempotency key, returns that order instead.
    ///
    /// - Throws: `.tooManyWaiting`, `.diskFull`, `.keyReused`, `.closed` or `.failed`.
    public func make(_ draft: OrderDraft) async throws(OrderStoreError) -> Order {
        try await withCheckedContinuation { caller in
            let admission = writer.queue.append(WriteRequest(draft: draft, caller: caller))
            if let error = error(for: admission) { caller.resume(returning: .failure(error)) }
        }.get()
    }

    /// Returns the order with this id; nil if there is none. Sees every order that was confirmed.
    ///
    /// - Throws: `.tooManyWaiting`, `.closed` or `.failed`.
    public func order(_ id: OrderID) async throws(OrderStoreError) -> Order? {
        try await withCheckedContinuation { caller in
            let admission = reader.queue.append(.find(id, caller))
            if let error = error(for: admission) { caller.resume(returning: .failure(error)) }
        }.get()
    }

    /// Returns up to `limit` (1 or more) orders from `token` on, oldest first.
    ///
    /// - Throws: `.tooManyWaiting`, `.closed` or `.failed`.
    public func orders(
        from token: OrderPageToken = .start, limit: Int
    ) async throws(OrderStoreError) -> OrderPage {
        try await withCheckedContinuation { caller in
            let admission = reader.queue.append(
                .list(after: token.after, limit: max(1, limit), caller))
            if let error = error(for: admission) { caller.resume(returning: .failure(error)) }
        }.get()
    }

    /// Counters since the store was opened. Any thread.
    public var statistics: OrderStoreStatistics { writer.statistics }

    /// Runs `completion` on the writer's thread between two transactions, or at once if the store
    /// is closed. It does not run while the disk hangs, which a watchdog detects in this way. Any
    /// thread; does not wait.
    public func probeWriter(_ completion: @escaping @Sendable () -> Void) {
        writer.queue.probe(completion)
    }

    /// Refuses further requests, completes the waiting ones, ends the threads and closes the file.
    /// Call it once, after the last use of the store.
    public func close() async {
        writer.queue.close()
        reader.queue.close()
        await threads.ended()
        // Closing checkpoints the WAL. If that fails, the next opening does it.
        try? pool.close()
    }

    private func error<Item>(for admission: WaitingQueue<Item>.Admission) -> OrderStoreError? {
        switch admission {
        case .accepted: return nil
        case .closed: return .closed
        case .full:
            writer.countRefusal()
            return .tooManyWaiting(limit: configuration.maxWaiting)
        }
    }
}

/// The file and the limits of a store. A value.
public struct OrderStoreConfiguration: Hashable, Sendable {
    /// The database file. Its folder is created on first use.
    public var path: String
    /// Orders that may wait for the writer, and reads that may wait for a reader: 1 or more. A
    /// request beyond fails with `OrderStoreError.tooManyWaiting` at once. Default 4096.
    public var maxWaiting = 4096
    /// Orders in one transaction at most: 1 or more. Default 512.
    public var maxBatch = 512
    /// Threads that read: 1 to 64. Default 2.
    public var readerThreads = 2
    /// How long an idempotency key is kept with its order; zero or less keeps none. Default 24
    /// hours.
    public var keyRetention = Duration.seconds(24 * 60 * 60)
    /// The largest size of the database, in pages of 4 KiB. Default nil: limited by the disk.
    public var maxPages: Int64?

    /// The defaults, for the database at `path`.
    public init(path: String) { self.path = path }
}

/// Counters of a store since it was opened. A value.
public struct OrderStoreStatistics: Hashable, Sendable {
    /// New orders on disk.
    public var orders: UInt64 = 0
    /// Requests that returned an existing order with the same idempotency key.
    public var repeats: UInt64 = 0
    /// Transactions committed by the writer. Under load far fewer than orders, by group commit.
    public var transactions: UInt64 = 0
    /// Transactions that failed; every request in them failed with an error.
    public var failures: UInt64 = 0
    /// Requests refused because too many were waiting.
    public var refusals: UInt64 = 0
    /// Drafts that wait for the writer now.
    public var waiting = 0
}
