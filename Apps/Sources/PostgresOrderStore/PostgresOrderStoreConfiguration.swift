public import Postgres

/// The database and the limits of a store on PostgreSQL. A value.
public struct PostgresOrderStoreConfiguration: Hashable, Sendable {
    /// Where the database is.
    public var url: PostgresURL
    /// Orders that may wait, and reads that may wait: 1 or more, shared among connections as by the
    /// store on a disk. A request beyond fails with `OrderStoreError.tooManyWaiting` at once. Default
    /// 4096.
    public var maxWaiting = 4096
    /// Orders in one transaction at most: 1 or more. Default 512.
    public var maxBatch = 512
    /// Pages that were read and that their callers have not received, in bytes; above, nothing is
    /// read. Default 32 MiB.
    public var maxPageBytes = 32 << 20
    /// How long an idempotency key is kept with its order; zero or less keeps none. Default 24
    /// hours.
    public var keyRetention = Duration.seconds(24 * 60 * 60)
    /// Orders older than this are deleted, once an hour, by one of the servers; zero or less keeps them
    /// for ever, which is the default. An order with an idempotency key is kept at least as long as its
    /// key.
    public var retention = Duration.zero
    /// The time for a statement, and for waiting for a lock, at the server; then it is undone and its
    /// requests fail. Without any answer for twice as long, the connection counts as lost. Default
    /// 5 s.
    public var statementTimeout = Duration.seconds(5)
    /// The time for connecting to all hosts together, each has the same part of it, and for the
    /// first connection of all. A URL with `connect_timeout` has that for each host. Default 5 s.
    public var connectTimeout = Duration.seconds(5)
    /// How long requests wait while the database can't be reached; then those that wait, and all
    /// later ones, fail with `OrderStoreError.unavailable` until it can be reached. Default 5 s.
    public var outageTimeout = Duration.seconds(5)
    /// How long a request waits whose transaction may have been committed when the connection was
    /// lost; then it fails with `OrderStoreError.outcomeUnknown`. Default 30 s.
    public var resolveTimeout = Duration.seconds(30)
    /// The time of `close` in all, also while the database answers: an order may be the last of many
    /// that wait. Then requests that were sent fail with `OrderStoreError.outcomeUnknown`, and the
    /// others with `.closed`. Default 2 s, within the 4 s that systemd gives after a drain.
    public var closeTimeout = Duration.seconds(2)
    /// How often orders of other servers are looked for. Default 100 ms.
    public var followInterval = Duration.milliseconds(100)

    /// The defaults, for a database.
    public init(url: PostgresURL) { self.url = url }
}
