public import OrderStoring
import Postgres
import RocketReactor
public import RocketSystem

/// Orders in a PostgreSQL database, which several servers may share: an order that was confirmed is
/// committed there.
///
/// A thread of its own has two connections, one that stores, one transaction at a time, which has
/// all orders that wait, and one that reads, in pipelines. Requests wait while a connection is opened
/// again, for a limited time. The outcome of a transaction whose connection was lost is found out on
/// the next one, before its callers are resumed.
public final class PostgresOrderStore: OrderStoring {
    private let thread: IOThread
    private let requests: OrderRequests
    private let counters: StoreCounters
    private let stored = StoredOrders()
    private let core: Locked<LoopBound<PostgresStoreCore>?>
    private let ended = AsyncEvent()
    private let opened = AsyncEvent()
    private let openError = Locked<OrderStoreError?>(nil)

    private init(
        _ configuration: PostgresOrderStoreConfiguration, time: any TimeSource,
        observe: @escaping OrderStoreObserver, recordBytes: @escaping @Sendable (Int) -> Bool
    ) throws(OrderStoreError) {
        do throws(SystemError) { thread = try IOThread(name: "order-store") } catch {
            throw .cannotOpen(
                path: configuration.url.description, reason: error.description)
        }
        let counters = StoreCounters(observe: observe)
        self.counters = counters
        core = Locked(nil)
        requests = OrderRequests(
            writes: WaitingQueue(limit: configuration.maxWaiting),
            reads: WaitingQueue(
                limit: configuration.maxWaiting, heldLimitBytes: configuration.maxPageBytes),
            time: time, recordBytes: recordBytes, refused: counters.refused)
    }

    /// Connects to the database and creates or migrates its tables.
    ///
    /// - Parameters:
    ///   - time: the clock of the orders and of their keys.
    ///   - observe: is passed the events from now on, on the store's thread.
    ///   - recordBytes: is passed the bytes of each page when it has been read, and the negative
    ///     number when the call that it is for has ended. Where it returns false for a page, the page
    ///     is dropped and is not recorded. Any thread.
    /// - Throws: `OrderStoreError.cannotOpen` (also if the database can't be reached within
    ///   `connectTimeout`), `.notPermitted` (its tables), `.newerSchema`.
    public static func open(
        _ configuration: PostgresOrderStoreConfiguration,
        time: any TimeSource = SystemTimeSource(),
        observe: @escaping OrderStoreObserver = { _ in },
        recordBytes: @escaping @Sendable (Int) -> Bool = { _ in true }
    ) async throws(OrderStoreError) -> PostgresOrderStore {
        let store = try PostgresOrderStore(
            configuration, time: time, observe: observe, recordBytes: recordBytes)
        store.thread.loop.execute { reactor in
            let core = PostgresStoreCore(
                configuration, store.requests, store.stored, store.counters, on: reactor,
                time: time,
                opened: { error in
                    store.openError.withLock { $0 = error }
                    store.opened.fire()
                }, ended: store.ended.fire)
            store.core.withLock { $0 = LoopBound(core, on: reactor) }
            core.start()
        }
        await store.opened.wait()
        guard let error = store.openError.withLock({ $0 }) else { return store }
        await store.close()
        throw error
    }

    /// Stores an order, and returns when it is committed. If the store has an order with the same
    /// idempotency key, returns that order instead.
    ///
    /// - Throws: `.tooManyWaiting`, `.unavailable`, `.diskFull`, `.keyReused`, `.outcomeUnknown`,
    ///   `.closed` or `.failed`.
    public nonisolated(nonsending) func make(
        _ draft: OrderDraft, from source: ObjectIdentifier?
    ) async throws(OrderStoreError) -> Order { try await requests.make(draft, from: source) }

    /// Returns the order with this id; nil if there is none. Sees every order that was confirmed.
    ///
    /// - Parameters:
    ///   - source: as for `make`.
    ///   - waitedForPeer: as that of `OrderPageCaller`.
    /// - Throws: `.tooManyWaiting`, `.unavailable`, `.closed` or `.readFailed`.
    public nonisolated(nonsending) func order(
        _ id: OrderID, from source: ObjectIdentifier?,
        waitedForPeer: @escaping @Sendable (Duration) -> Void
    ) async throws(OrderStoreError) -> Order? {
        try await requests.order(id, from: source, waitedForPeer: waitedForPeer)
    }

    /// Returns up to `limit` (1 or more) orders from `token` on, oldest first. No other page is
    /// read for the caller's connection until its call has ended.
    ///
    /// - Throws: `.tooManyWaiting`, `.unavailable`, `.memoryFull`, `.cancelled`, `.closed` or
    ///   `.readFailed`.
    public nonisolated(nonsending) func orders(
        from token: OrderPageToken, limit: Int, for call: some OrderPageCaller
    ) async throws(OrderStoreError) -> OrderPage {
        try await requests.orders(from: token, limit: limit, for: call)
    }

    /// Calls `listener` for each order that is stored from now on, also by other servers: in the
    /// order of the list, each once. Those of other servers come within about
    /// `PostgresOrderStoreConfiguration.followInterval`.
    public func onStored(
        _ listener: @escaping @Sendable (Order) -> Void
    ) -> (position: OrderPageToken, newest: OrderID?) { stored.listen(listener) }

    /// Returns the position behind an order, which may have been removed since; nil if the store has
    /// never had it. The listener has been called for the order.
    ///
    /// - Throws: as `orders`.
    public nonisolated(nonsending) func position(
        after id: OrderID, for call: some OrderPageCaller
    ) async throws(OrderStoreError) -> OrderPageToken? {
        guard let position = try await requests.position(after: id, among: stored, for: call)
        else { return nil }
        await withCheckedContinuation { caller in
            let isAccepted = withCore { $0.wait(for: position) { caller.resume() } }
            if !isAccepted { caller.resume() }
        }
        return position
    }

    /// Counters since the store was opened. Any thread.
    public var statistics: OrderStoreStatistics {
        var statistics = counters.statistics
        statistics.waiting = requests.writes.count
        return statistics
    }

    /// Runs `completion` on the store's thread, or at once if the store is closed. Any thread; does
    /// not wait.
    public func probe(_ completion: @escaping @Sendable () -> Void) {
        if !thread.loop.execute({ _ in completion() }) { completion() }
    }

    /// Refuses further requests, completes the waiting ones, closes the connections and ends the
    /// thread. Call it once, after the last use of the store. It takes
    /// `PostgresOrderStoreConfiguration.closeTimeout` at most, also while the database answers; then
    /// orders that it was sent fail with `.outcomeUnknown`, which `.closedUnanswered` reports, and all
    /// other requests with `.closed`.
    public func close() async {
        requests.writes.close()
        requests.reads.close()
        if withCore({ $0.close() }) { await ended.wait() }
        core.withLock { $0 = nil }
        thread.stop()
        await thread.ended()
    }

    /// - Returns: whether `body` runs on the loop, later.
    private func withCore(_ body: @escaping @Sendable (PostgresStoreCore) -> Void) -> Bool {
        guard let core = core.withLock({ $0 }) else { return false }
        return thread.loop.execute { _ in body(core.get()) }
    }
}
