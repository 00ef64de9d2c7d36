import Foundation
import GRDB
public import RocketSystem

/// The orders on disk: SQLite in WAL mode with synchronous=FULL, so what was answered survives
/// kill -9 and a power cut.
///
/// Callers on any thread or loop suspend; the database works on threads of its own, one that
/// writes with group commit and `readerThreads` that read. `close()` ends it.
public final class OrderStore: Sendable {
    /// How it was opened.
    public let configuration: OrderStoreConfiguration
    private let pool: DatabasePool
    private let writer: OrderWriter
    private let reader: OrderReader
    private let threads = DatabaseThreads()

    /// Opens the store, makes its folder and file when they are missing, and brings an older
    /// file up to date. Blocks for as long as the disk takes.
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

    /// Stores an order; returns once it is on disk. With an idempotency key that the store
    /// still knows it returns that key's order instead.
    ///
    /// - Throws: `.tooManyWaiting`, `.diskFull`, `.keyReused`, `.closed` or `.failed`.
    public func make(_ draft: OrderDraft) async throws(OrderStoreError) -> Order {
        try await withCheckedContinuation { caller in
            let admission = writer.queue.append(WaitingDraft(draft: draft, caller: caller))
            if let refusal = refusal(admission) { caller.resume(returning: .failure(refusal)) }
        }.get()
    }

    /// The order with this id; nil when there is none. Sees every order that was answered.
    ///
    /// - Throws: `.tooManyWaiting`, `.closed` or `.failed`.
    public func order(_ id: OrderID) async throws(OrderStoreError) -> Order? {
        try await withCheckedContinuation { caller in
            let admission = reader.queue.append(.find(id, caller))
            if let refusal = refusal(admission) { caller.resume(returning: .failure(refusal)) }
        }.get()
    }

    /// Up to `limit` (1 or more) orders from `token` on, oldest first.
    ///
    /// - Throws: `.tooManyWaiting`, `.closed` or `.failed`.
    public func orders(
        from token: OrderPageToken = .start, limit: Int
    ) async throws(OrderStoreError) -> OrderPage {
        try await withCheckedContinuation { caller in
            let admission = reader.queue.append(
                .list(after: token.after, limit: max(1, limit), caller))
            if let refusal = refusal(admission) { caller.resume(returning: .failure(refusal)) }
        }.get()
    }

    /// What was done since the store was opened. Any thread.
    public var statistics: OrderStoreStatistics { writer.statistics }

    /// Has the writer, between two transactions, run `answer`; at once when the store is closed.
    /// A watchdog asks in this way whether the disk hangs. Any thread; does not wait.
    public func askWriter(_ answer: @escaping @Sendable () -> Void) { writer.queue.ask(answer) }

    /// Refuses what comes from now on, finishes what waits, ends the threads and closes the
    /// file. Call it once, when nobody needs the store any more.
    public func close() async {
        writer.queue.close()
        reader.queue.close()
        await threads.finished()
        // Closing checkpoints the WAL; where that fails the next opening does it.
        try? pool.close()
    }

    private func refusal<Item>(_ admission: WaitingQueue<Item>.Admission) -> OrderStoreError? {
        switch admission {
        case .accepted: return nil
        case .closed: return .closed
        case .full:
            writer.countRefusal()
            return .tooManyWaiting(limit: configuration.maxWaiting)
        }
    }
}
