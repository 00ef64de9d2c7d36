public import OrderStoring
public import RocketSystem
import SQLite

/// Orders on disk: SQLite in WAL mode with synchronous=FULL, so that an order that was confirmed
/// survives kill -9 and a power cut.
///
/// Callers on any thread or loop suspend; the database has threads of its own, one that writes with
/// group commit and `readerThreads` that read. `close()` ends them.
public final class OrderStore: OrderStoring {
    /// The configuration that it was opened with.
    public let configuration: OrderStoreConfiguration
    private let pool: DatabasePool
    private let lock: FolderLock
    private let writer: OrderWriter
    private let reader: OrderReader
    private let observe: OrderStoreObserver
    let requests: OrderRequests
    private let executor: any StoreExecutor
    var stored: StoredOrders { writer.stored }

    /// Opens the store, creates its folder and file if they are missing, and migrates an older
    /// file after a copy of it was made. Blocks for as long as the disk takes.
    ///
    /// - Parameters:
    ///   - observe: is passed the events from now on.
    ///   - recordBytes: is passed the bytes of each page when it has been read, and the negative
    ///     number when the call that it is for has ended: for a budget of the process. Where it
    ///     returns false for a page, the page is dropped and is not recorded. Any thread.
    /// - Throws: `OrderStoreError.cannotOpen` (also for a file that is empty: orders were in it),
    ///   `.missing`, `.notPermitted`, `.damaged`, `.inUse`, `.newerSchema`; `.cannotCreate` for the
    ///   copy of an older store.
    public convenience init(
        _ configuration: OrderStoreConfiguration, time: any TimeSource = SystemTimeSource(),
        observe: @escaping OrderStoreObserver = { _ in },
        recordBytes: @escaping @Sendable (Int) -> Bool = { _ in true }
    ) throws(OrderStoreError) {
        try self.init(
            configuration, time: time, executor: DatabaseThreads(time: time), observe: observe,
            recordBytes: recordBytes)
    }

    /// As the other `init`, with an executor of the store's workers.
    package init(
        _ configuration: OrderStoreConfiguration, time: any TimeSource,
        executor: any StoreExecutor, observe: @escaping OrderStoreObserver = { _ in },
        recordBytes: @escaping @Sendable (Int) -> Bool = { _ in true }
    ) throws(OrderStoreError) {
        self.configuration = configuration
        self.executor = executor
        self.observe = observe
        let database = try OrderDatabase.open(configuration, time: time)
        pool = database.pool
        lock = database.lock
        writer = OrderWriter(
            pool: pool, files: database.files, configuration: configuration, time: time,
            observe: observe)
        requests = OrderRequests(
            writes: writer.queue,
            reads: WaitingQueue(
                limit: configuration.maxWaiting, heldLimitBytes: configuration.maxPageBytes),
            time: time, recordBytes: recordBytes, refused: writer.countRefusal)
        reader = OrderReader(pool: pool, requests: requests, time: time, observe: observe)
        writer.findNewest()
        for event in database.events { observe(event) }
        reader.openConnections()
        do throws(SystemError) {
            try executor.start("order-writer", WriterWorker(writer))
            for number in 1...max(1, configuration.readerThreads) {
                try executor.start("order-reader-\(number)", ReaderWorker(reader))
            }
        } catch {
            writer.queue.close()
            reader.queue.close()
            throw .cannotOpen(path: configuration.path, reason: error.description)
        }
    }

    /// Stores an order, and returns when it is on disk. If the store has an order with the same
    /// idempotency key, returns that order instead.
    ///
    /// - Parameter source: the connection that the order came from; nil: unknown. The store takes
    ///   one request of each connection in turn.
    /// - Throws: `.tooManyWaiting`, `.diskFull`, `.keyReused`, `.filesLost`, `.outcomeUnknown`,
    ///   `.closed` or `.failed`.
    public nonisolated(nonsending) func make(
        _ draft: OrderDraft, from source: ObjectIdentifier?
    ) async throws(OrderStoreError) -> Order {
        try await requests.make(draft, from: source)
    }

    /// Returns the order with this id; nil if there is none. Sees every order that was confirmed.
    ///
    /// - Parameters:
    ///   - source: as for `make`.
    ///   - waitedForPeer: as that of `OrderPageCaller`.
    /// - Throws: `.tooManyWaiting`, `.closed` or `.failed`.
    public nonisolated(nonsending) func order(
        _ id: OrderID, from source: ObjectIdentifier?,
        waitedForPeer: @escaping @Sendable (Duration) -> Void
    ) async throws(OrderStoreError) -> Order? {
        try await requests.order(id, from: source, waitedForPeer: waitedForPeer)
    }

    /// Returns up to `limit` (1 or more) orders from `token` on, oldest first. No other page is
    /// read for the caller's connection until its call has ended.
    ///
    /// - Throws: `.tooManyWaiting`, `.memoryFull`, `.cancelled`, `.closed` or `.failed`.
    public nonisolated(nonsending) func orders(
        from token: OrderPageToken, limit: Int, for call: some OrderPageCaller
    ) async throws(OrderStoreError) -> OrderPage {
        try await requests.orders(from: token, limit: limit, for: call)
    }

    /// Counters since the store was opened. Any thread.
    public var statistics: OrderStoreStatistics { writer.statistics }

    /// Runs `completion` on the writer's thread between two transactions, or at once if the store
    /// is closed. It does not run while the disk hangs, which a watchdog detects in this way. Any
    /// thread; does not wait.
    public func probe(_ completion: @escaping @Sendable () -> Void) {
        writer.queue.probe(completion)
    }

    /// Refuses further requests, completes the waiting ones, ends the threads, writes the log into
    /// the file and closes it. Call it once, after the last use of the store.
    public func close() async {
        writer.queue.close()
        reader.queue.close()
        await executor.ended()
        defer { lock.unlock() }
        if writer.hasLostFiles {
            _ = UnclosedDatabase(pool)
            return observe(.notCheckpointed("the store has lost its files"))
        }
        do { try OrderDatabase.close(pool) } catch {
            observe(.notCheckpointed(OrderStoreError(error).description))
        }
    }

    /// Ends the store in the way in which its process ends: what it has not written yet stays
    /// unwritten, and its log is not written into the file. For simulations, in which the memory of a
    /// process outlives it. On the thread of the executor, not within a step.
    ///
    /// - Parameter finishWorkers: runs the steps of all workers to their end.
    package func abandon(_ finishWorkers: () -> Void) {
        writer.queue.close()
        reader.queue.close()
        finishWorkers()
        try? pool.close()
        lock.unlock()
    }
}

/// The file and the limits of a store. A value.
public struct OrderStoreConfiguration: Hashable, Sendable {
    /// The database file. Its folder is created on first use.
    public var path: String
    /// Orders that may wait for the writer, and reads that may wait for a reader: 1 or more. A
    /// connection may have as many waiting as places are free, so a single one half of them, and
    /// always one; reads behind a page that is waiting or on its way: 64, which take no places
    /// while it is on its way. A request beyond fails with `OrderStoreError.tooManyWaiting` at once.
    /// Default 4096.
    public var maxWaiting = 4096
    /// Orders in one transaction at most: 1 or more. Default 512.
    public var maxBatch = 512
    /// Threads that read: 1 to 64. Default 2.
    public var readerThreads = 2
    /// Pages that were read and that their callers have not received, in bytes; above, nothing is
    /// read. Default 32 MiB. A page more for each thread may be read.
    public var maxPageBytes = 32 << 20
    /// How long an idempotency key is kept with its order; zero or less keeps none. Default 24
    /// hours.
    public var keyRetention = Duration.seconds(24 * 60 * 60)
    /// Orders older than this are removed, once an hour; zero or less keeps them for ever, which is
    /// the default. An order with an idempotency key is kept at least as long as its key.
    public var retention = Duration.zero
    /// The folder of the files, one for each month, to which orders are moved that are removed;
    /// created if it is missing. Default nil: they are deleted.
    public var archiveFolder: String?
    /// The largest size of the database, in pages of 4 KiB. Default nil: limited by the disk.
    public var maxPages: Int64?
    /// SQLite's interface to files, by its name; nil: the default one. For simulations.
    package var vfs: String?

    /// The defaults, for the database at `path`.
    public init(path: String) { self.path = path }
}
