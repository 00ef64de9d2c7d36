import GRDB

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
            let isSame = existing.price == draft.price && existing.goods == draft.goods
            results.append(isSame ? .success(existing) : .failure(.keyReused(existing.id)))
            return
        }
        let order = try insert(draft, in: db)
        try db.cachedStatement(sql: OrderSchema.insertKey)
            .execute(arguments: [order.id.sequence, now, key])
        results.append(.success(order))
    }

    /// Deletes expired keys, the oldest first.
    ///
    /// - Returns: how many were deleted.
    func deleteExpiredKeys(upTo limit: Int, in db: Database) throws -> Int {
        guard retention > 0 else { return 0 }
        try db.cachedStatement(sql: OrderSchema.deleteExpiredKeys)
            .execute(arguments: [limit, now - retention])
        return db.changesCount
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
        return Order(row: row)
    }
}
