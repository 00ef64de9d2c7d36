import GRDB

/// One transaction of the writer: places drafts one after the other and keeps what to answer
/// each of them once it is committed. An error thrown here undoes the whole transaction.
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

    mutating func place(_ draft: OrderDraft, in db: Database) throws {
        guard let key = draft.idempotencyKey, retention > 0 else {
            results.append(.success(try insert(draft, in: db)))
            return
        }
        if let known = try order(forKey: key, in: db) {
            repeats += 1
            let isSame = known.price == draft.price && known.goods == draft.goods
            results.append(isSame ? .success(known) : .failure(.keyReused(known.id)))
            return
        }
        let order = try insert(draft, in: db)
        try db.cachedStatement(sql: OrderSchema.insertKey)
            .execute(arguments: [order.id.sequence, now, key])
        results.append(.success(order))
    }

    /// How many keys were forgotten.
    func forgetOldKeys(upTo limit: Int, in db: Database) throws -> Int {
        guard retention > 0 else { return 0 }
        try db.cachedStatement(sql: OrderSchema.forgetOldKeys)
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

    /// The order that `key` stands for, unless the key is too old to count.
    private func order(forKey key: String, in db: Database) throws -> Order? {
        let statement = try db.cachedStatement(sql: OrderSchema.findKey)
        guard let row = try Row.fetchOne(statement, arguments: [key]) else { return nil }
        let keyCreated: Int64 = row[4]
        guard keyCreated > now - retention else {
            try db.cachedStatement(sql: OrderSchema.forgetKey).execute(arguments: [key])
            return nil
        }
        return Order(row: row)
    }
}
