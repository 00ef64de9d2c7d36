/// How the store works. Every limit has a default; see each field for its unit and range.
public struct OrderStoreConfiguration: Hashable, Sendable {
    /// The database file. Its folder is made on first use.
    public var path: String
    /// Orders that may wait for the writer, and reads that may wait for a reader: 1 or more.
    /// Whoever comes beyond gets `OrderStoreError.tooManyWaiting` at once.
    public var maxWaiting = 4096
    /// Orders in one transaction at most: 1 or more. 1 is one transaction per order.
    public var maxBatch = 512
    /// Threads that read: 1 to 64.
    public var readerThreads = 2
    /// How long an idempotency key is kept with its order; zero or less keeps none.
    public var keyRetention = Duration.seconds(24 * 60 * 60)
    /// How large the database may become, in pages of 4 KiB; nil leaves it to the disk.
    public var maxPages: Int64?

    /// The defaults, for the database at `path`.
    public init(path: String) { self.path = path }
}
