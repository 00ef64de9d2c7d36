package import OrderStoring
import SQLite

/// A store on a disk whose contents are copied to another one. No order_server can open it until this
/// object ends. One task at a time.
package final class OrderStoreExport: OrderExporting {
    package let path: String
    package let orders: Int64
    package let newest: OrderID?
    package let lastSequence: Int64
    private let lock: FolderLock
    private let queue: DatabaseQueue

    /// Checks the integrity of a store, which takes as long as reading it, and locks it.
    ///
    /// - Throws: `OrderStoreError.missing`, `.notPermitted`, `.damaged`, `.cannotOpen`,
    ///   `.newerSchema`; `.inUse` if a server has the store open.
    package init(fileAt path: String) throws(OrderStoreError) {
        let path = FileAccess.resolved(path)
        self.path = path
        try FileAccess.check(path)
        lock = try FolderLock.forReplacing(path)
        let report = try OrderStore.checkIntegrity(ofFileAt: path)
        guard report.isSound else { throw .unsound(report) }
        orders = report.orders
        newest = report.newest
        do {
            var settings = Configuration()
            settings.readonly = true
            settings.busyMode = .timeout(5)
            queue = try DatabaseQueue(path: path, configuration: settings)
            lastSequence = try queue.writeWithoutTransaction { db in
                // Until the end: all that is read is of one state.
                try db.execute(sql: "BEGIN")
                _ = try OrderSchema.requireVersion(of: db)
                return try Int64.fetchOne(db, sql: OrderSchema.lastSequence) ?? 0
            }
        } catch {
            throw OrderStoreError(opening: path, error)
        }
    }

    package func count(through sequence: Int64) throws(OrderStoreError) -> Int64 {
        try read { db in
            let statement = try db.cachedStatement(sql: OrderSchema.countOrders)
            return try Row.fetchOne(statement, arguments: [sequence])?[0] ?? 0
        }
    }

    package func createdMilliseconds(of sequence: Int64) throws(OrderStoreError) -> Int64? {
        try read { db in
            let statement = try db.cachedStatement(sql: OrderSchema.findOrder)
            return try Row.fetchOne(statement, arguments: [sequence])?[3]
        }
    }

    package func block(after sequence: Int64) throws(OrderStoreError) -> OrderBlock {
        var bytes = 0
        let rows = try read { db in
            let statement = try db.cachedStatement(sql: OrderSchema.export)
            return try Row.fetch(
                statement, arguments: [sequence, OrderBlock.maxOrders],
                through: { row in
                    bytes += (row[2] as String).utf8.count + ((row[4] as String?)?.utf8.count ?? 0)
                    return bytes >= OrderBlock.fullBytes
                })
        }
        let isLast = rows.count < OrderBlock.maxOrders && bytes < OrderBlock.fullBytes
        let orders = try rows.map(Order.init(row:))
        let keys = rows.compactMap { row in
            (row[4] as String?).map {
                OrderKey(key: $0, sequence: row[0], createdMilliseconds: row[5])
            }
        }
        return OrderBlock(
            after: sequence, through: isLast ? .max : orders.last?.id.sequence ?? .max,
            orders: orders, idempotencyKeys: keys)
    }

    private func read<Value>(_ body: (Database) throws -> Value) throws(OrderStoreError) -> Value {
        do { return try queue.writeWithoutTransaction(body) } catch {
            throw OrderStoreError(opening: path, error)
        }
    }
}
