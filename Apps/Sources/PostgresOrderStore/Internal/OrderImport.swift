import OrderStoring
import Postgres

/// A database into which a store is copied: the statements of `MigrationSchema`, executed. One task at
/// a time.
struct OrderImport {
    /// What the database says about a migration. A value.
    struct State: Sendable {
        let source: String
        /// The newest order of the source when it began.
        let newest: Int64?
        let newestMilliseconds: Int64?
        /// Orders up to this number are copied, with their keys.
        let position: Int64
        /// Nil: it has not ended.
        let end: End?
    }

    /// How a migration has ended. A value.
    struct End: Sendable {
        /// In UTC.
        let time: String
        let last: Int64
        let orders: Int64
        let keys: Int64
    }

    let client: PostgresClient
    let url: PostgresURL

    /// Connects, creates the tables, and takes the lock of migrations.
    ///
    /// - Throws: `OrderStoreError`, as the opening of a store; `.inUse` if another one migrates.
    static func open(
        _ url: PostgresURL, statementTimeout: Duration, lockTimeout: Duration = .seconds(10)
    ) async throws(OrderStoreError) -> OrderImport {
        var limits = PostgresLimits()
        limits.answer = statementTimeout * 2
        limits.applicationName = "order_server --migrate"
        let client: PostgresClient
        do throws(PostgresError) { client = try await .open(url, limits) } catch {
            throw OrderStoreError(opening: url, error)
        }
        do throws(PostgresError) {
            let settings = PostgresSchema.settings(statementTimeout: statementTimeout)
            try await client.execute(
                [
                    PostgresStatement(PostgresSchema.settings, settings),
                    PostgresStatement(PostgresSchema.migrate),
                ]
            ) { _ in }
            try await client.execute(MigrationSchema.acquire(within: lockTimeout)) { _ in }
        } catch {
            await client.close()
            if error.state == "55P03" {
                throw .inUse(path: url.description, reason: "another migration into it is running")
            }
            throw OrderStoreError(opening: url, error)
        }
        return OrderImport(client: client, url: url)
    }

    /// Begins the migration of a store, or goes on with it.
    ///
    /// - Returns: nil if the database has, or has had, other orders.
    func begin(
        _ source: some OrderExporting, newestMilliseconds: Int64?
    ) async throws(OrderStoreError) -> State? {
        try await checked(
            client.send(MigrationSchema.begin(source, newestMilliseconds: newestMilliseconds)) {
                $0.last.flatMap { State($0) }
            })
    }

    /// Sends a block to be copied. Does not wait.
    func copy(_ block: OrderBlock) -> PostgresReply<Void> {
        client.send(MigrationSchema.copy(block)) { _ in }
    }

    /// Asks for what the database has of a block. Does not wait.
    func read(_ block: OrderBlock) -> PostgresReply<OrderBlock?> {
        client.send(MigrationSchema.read(block)) { results in
            guard results.count == 2, let orders = results[0].orders else { return nil }
            return OrderBlock(
                after: block.after, through: block.through, orders: orders,
                idempotencyKeys: results[1].orderKeys)
        }
    }

    /// Ends the migration.
    func finish(_ totals: OrderTotals, last: Int64) async throws(OrderStoreError) {
        try await checked(client.send(MigrationSchema.finish(totals, last: last)) { _ in })
    }

    /// Waits for a transaction.
    ///
    /// - Throws: `OrderStoreError.unavailable`, `.diskFull`, `.notPermitted`, `.failed`.
    func checked<Value>(_ reply: PostgresReply<Value>) async throws(OrderStoreError) -> Value {
        do throws(PostgresError) { return try await reply.value() } catch {
            throw error.stateClass == "42"
                ? OrderStoreError(opening: url, error) : OrderStoreError(error)
        }
    }
}

extension OrderImport.State {
    /// The row of `order_migration`; nil: there is none.
    fileprivate init?(_ rows: PostgresRows) {
        guard rows.count > 0, let source = rows.text(0, 0), let position = rows.integer(0, 3) else {
            return nil
        }
        self.source = source
        newest = rows.integer(0, 1)
        newestMilliseconds = rows.integer(0, 2)
        self.position = position
        end = rows.text(0, 7).map {
            OrderImport.End(
                time: $0, last: rows.integer(0, 4) ?? 0, orders: rows.integer(0, 5) ?? 0,
                keys: rows.integer(0, 6) ?? 0)
        }
    }
}

extension PostgresRows {
    /// Key, number of its order, time.
    fileprivate var orderKeys: [OrderKey] {
        (0..<count).map { row in
            OrderKey(
                key: text(row, 0) ?? "", sequence: integer(row, 1) ?? 0,
                createdMilliseconds: integer(row, 2) ?? 0)
        }
    }
}
