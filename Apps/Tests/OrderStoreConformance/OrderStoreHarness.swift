public import OrderStoring
public import RocketSystem

/// What the suite needs of a kind of store: one place in which a store keeps its orders, which is
/// opened, closed and opened again. Each check has a harness of its own.
public protocol OrderStoreHarness: Sendable {
    /// Opens the store of this place; the earlier one has been closed.
    func open(_ settings: ConformanceSettings) async throws -> any OrderStoring

    /// Lets each write of the store fail from now on, until `repair`.
    func fail() async throws
    /// Ends `fail`.
    func repair() async throws

    /// Removes all orders behind a sequence number, as retention and administrators do.
    func removeOrders(after sequence: Int64) async throws
}

/// How a store is opened for a check: what all stores have.
public struct ConformanceSettings: Sendable {
    /// As in the configuration of each store.
    public var maxWaiting = 4096
    /// As in the configuration of each store.
    public var maxBatch = 512
    /// As in the configuration of each store.
    public var keyRetention = Duration.seconds(24 * 60 * 60)
    /// The clock of the store.
    public var time: any TimeSource = SystemTimeSource()
    /// Is passed the events of the store.
    public var observe: OrderStoreObserver = { _ in }
    /// Decides which pages the process has memory for.
    public var recordBytes: @Sendable (Int) -> Bool = { _ in true }

    /// The defaults.
    public init() {}
}
