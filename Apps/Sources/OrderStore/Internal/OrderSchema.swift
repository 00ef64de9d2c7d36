import SQLite

/// The tables with their migrations, and all statements.
///
/// `orders.sequence` is the order of the list and the unique part of the id; AUTOINCREMENT never
/// reuses a value. Idempotency keys have their own table, since they expire and orders do not.
enum OrderSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 orders and idempotency keys") { db in
            try db.execute(
                sql: """
                    CREATE TABLE orders(
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                        price INTEGER NOT NULL,
                        goods TEXT NOT NULL,
                        created_ms INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE idempotency_keys(
                        sequence INTEGER PRIMARY KEY REFERENCES orders(sequence),
                        created_ms INTEGER NOT NULL,
                        key TEXT NOT NULL UNIQUE
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("2 index of idempotency keys by time") { db in
            try db.execute(
                sql: "CREATE INDEX idempotency_keys_created ON idempotency_keys(created_ms)")
        }
        return migrator
    }

    static let insertOrder = "INSERT INTO orders(price, goods, created_ms) VALUES (?, ?, ?)"
    static let insertKey =
        "INSERT INTO idempotency_keys(sequence, created_ms, key) VALUES (?, ?, ?)"
    static let findKey = """
        SELECT o.sequence, o.price, o.goods, o.created_ms, k.created_ms
        FROM idempotency_keys k JOIN orders o ON o.sequence = k.sequence WHERE k.key = ?
        """
    static let deleteKey = "DELETE FROM idempotency_keys WHERE key = ?"
    static let deleteExpiredKeys = """
        DELETE FROM idempotency_keys WHERE sequence IN
            (SELECT sequence FROM idempotency_keys WHERE created_ms <= ?
            ORDER BY created_ms LIMIT ?)
        """
    /// Keys with a time to come (the first value) that were made before a key that has expired (at
    /// the second value): sequence numbers grow, whatever the clock says.
    static let deleteExpiredFutureKeys = """
        DELETE FROM idempotency_keys WHERE sequence IN
            (SELECT sequence FROM idempotency_keys WHERE created_ms > ? AND sequence <
                (SELECT sequence FROM idempotency_keys WHERE created_ms <= ?
                ORDER BY created_ms DESC LIMIT 1)
            LIMIT ?)
        """
    /// Writes the first page of the file, with the value that it has.
    static let writeHeader = "PRAGMA user_version = 0"
    static let findOrder =
        "SELECT sequence, price, goods, created_ms FROM orders WHERE sequence = ?"
    static let anyOrder = "SELECT sequence FROM orders LIMIT 1"
    static let newestOrder =
        "SELECT sequence, price, goods, created_ms FROM orders ORDER BY sequence DESC LIMIT 1"
    static let listOrders = """
        SELECT sequence, price, goods, created_ms FROM orders
        WHERE sequence > ? ORDER BY sequence LIMIT ?
        """
}

extension Order {
    /// Columns 0 to 3: sequence, price, goods, created_ms.
    ///
    /// - Throws: `OrderStoreError.failed` if another program has written a price out of range.
    init(row: Row) throws(OrderStoreError) {
        let created: Int64 = row[3]
        let id = OrderID(sequence: row[0], createdMilliseconds: created)
        guard let price = Int32(exactly: row[1] as Int64) else {
            throw .failed(reason: "the price of order \(id) is out of range")
        }
        self.init(id: id, price: price, goods: row[2], createdMilliseconds: created)
    }
}
