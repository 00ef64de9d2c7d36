import GRDB

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
    /// Keys are as old as their orders, so the oldest ones are the first of their table.
    static let deleteExpiredKeys = """
        DELETE FROM idempotency_keys WHERE sequence IN
            (SELECT sequence FROM
                (SELECT sequence, created_ms FROM idempotency_keys ORDER BY sequence LIMIT ?)
            WHERE created_ms <= ?)
        """
    static let findOrder =
        "SELECT sequence, price, goods, created_ms FROM orders WHERE sequence = ?"
    static let newestOrder =
        "SELECT sequence, price, goods, created_ms FROM orders ORDER BY sequence DESC LIMIT 1"
    static let listOrders = """
        SELECT sequence, price, goods, created_ms FROM orders
        WHERE sequence > ? ORDER BY sequence LIMIT ?
        """
}

extension Order {
    /// Columns 0 to 3: sequence, price, goods, created_ms.
    init(row: Row) {
        let created: Int64 = row[3]
        self.init(
            id: OrderID(sequence: row[0], createdMilliseconds: created),
            price: row[1], goods: row[2], createdMilliseconds: created)
    }
}
