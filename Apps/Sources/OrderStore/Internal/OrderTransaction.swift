import OrderStoring
import SQLite

/// One transaction of the writer: stores drafts one after the other and collects their results for
/// the time after the commit. An error thrown here rolls back the whole transaction.
struct OrderTransaction {
    private(set) var results: [Result<Order, OrderStoreError>] = []
    private(set) var newOrders: UInt64 = 0
    private(set) var repeats: UInt64 = 0
    private let now: Int64
    private let retention: Int64

    init(nowMilliseconds: Int64, retentionMilliseconds: Int64) {
        now = nowMilliseconds
        retention = retentionMilliseconds
    }

    mutating func store(_ draft: OrderDraft, in db: Database) throws {
        guard let key = draft.idempotencyKey, retention > 0 else {
            results.append(.success(try insert(draft, in: db)))
            return
        }
        if let existing = try order(forKey: key, in: db) {
            repeats += 1
            results.append(
                existing.isSame(as: draft) ? .success(existing) : .failure(.keyReused(existing.id)))
            return
        }
        let order = try insert(draft, in: db)
        try db.cachedStatement(sql: OrderSchema.insertKey)
            .execute(arguments: [order.id.sequence, now, key])
        results.append(.success(order))
    }

    /// Deletes expired keys, the oldest first.
    ///
    /// The clock may have been set back since a key was made. A key with a time to come has expired
    /// as soon as a key that was made after it has, whatever the clock said.
    ///
    /// - Returns: whether no expired key is left.
    func deleteExpiredKeys(upTo limit: Int, in db: Database) throws -> Bool {
        guard retention > 0 else { return true }
        try db.cachedStatement(sql: OrderSchema.deleteExpiredFutureKeys)
            .execute(arguments: [now, now - retention, limit])
        // Before the expired key that shows it is deleted.
        if db.changesCount == limit { return false }
        try db.cachedStatement(sql: OrderSchema.deleteExpiredKeys)
            .execute(arguments: [now - retention, limit])
        return db.changesCount < limit
    }

    private mutating func insert(_ draft: OrderDraft, in db: Database) throws -> Order {
        try db.cachedStatement(sql: OrderSchema.insertOrder)
            .execute(arguments: [draft.price, draft.goods, now])
        newOrders += 1
        return Order(
            id: OrderID(sequence: db.lastInsertedRowID, createdMilliseconds: now),
            price: draft.price, goods: draft.goods, createdMilliseconds: now)
    }

    /// Returns the order with this key; nil if the key is unknown or has expired.
    private func order(forKey key: String, in db: Database) throws -> Order? {
        let statement = try db.cachedStatement(sql: OrderSchema.findKey)
        guard let row = try Row.fetchOne(statement, arguments: [key]) else { return nil }
        let keyCreated: Int64 = row[4]
        guard keyCreated > now - retention else {
            try db.cachedStatement(sql: OrderSchema.deleteKey).execute(arguments: [key])
            return nil
        }
        return try Order(row: row)
    }
}
