package import OrderStoring
package import Postgres

extension PostgresOrderStore {
    /// Copies all orders and keys of another store into a database, and compares both. Killed at any
    /// time, and called again, it goes on where it was. Until it has ended, no server can open the
    /// database, and one that has it open stores nothing.
    ///
    /// - Parameters:
    ///   - source: no server has it open.
    ///   - statementTimeout: the time for a block, and for waiting for a lock, at the database.
    ///   - progress: called after each block.
    /// - Throws: `OrderStoreError` of the source; `.cannotCreate` if the database has other orders;
    ///   `.inUse` if another migration into it runs; `.unavailable` if the connection is lost,
    ///   `.diskFull`, and the errors of `open`; `.damaged` if a store has what it can't have.
    package static func migrate(
        _ source: some OrderExporting, to url: PostgresURL,
        statementTimeout: Duration = .seconds(60),
        progress: (OrderMigrationProgress) -> Void = { _ in }
    ) async throws(OrderStoreError) -> OrderMigrationReport {
        let target = try await OrderImport.open(url, statementTimeout: statementTimeout)
        let result: Result<OrderMigrationReport, OrderStoreError>
        do throws(OrderStoreError) {
            var migrator = OrderMigrator(source, target)
            result = .success(try await migrator.run(progress))
        } catch {
            result = .failure(error)
        }
        await target.client.close()
        return try result.get()
    }
}

/// How far a migration is. A value.
package struct OrderMigrationProgress: Hashable, Sendable {
    /// What it does.
    package enum Phase: String, Hashable, Sendable { case copied, verified }

    package let phase: Phase
    /// Orders that are copied, or verified.
    package let orders: Int64
    /// Orders in all.
    package let total: Int64

    package init(_ phase: Phase, orders: Int64, of total: Int64) {
        self.phase = phase
        self.orders = orders
        self.total = total
    }
}

/// What a migration has done. A value.
package struct OrderMigrationReport: Hashable, Sendable {
    /// Orders in both stores.
    package let orders: Int64
    /// Keys in both stores.
    package let keys: Int64
    /// Orders that this run has copied, again or for the first time.
    package let copied: Int64
    /// Checksums, which both stores have; nil: it had ended before this run.
    package let checksums: Checksums?
    /// The time at which it had ended before this run, in UTC; nil: it has ended now.
    package let endedBefore: String?

    /// Of all values of all rows. A value.
    package struct Checksums: Hashable, Sendable {
        package let orders: String
        package let keys: String
    }
}
