import OrderStoring
import SQLite

/// One step from the tables of a version to those of the next one.
struct OrderMigration: Sendable {
    /// Unique; begins with the number of the version that it leads to.
    let name: String
    let sql: String
}

/// The tables with their migrations, and all statements.
///
/// `orders.sequence` is the order of the list and the unique part of the id; AUTOINCREMENT never
/// reuses a value. Idempotency keys have their own table, since they expire and orders do not.
///
/// The version of a store is the number of migrations that it has had. Their names are in the table
/// `grdb_migrations`, so that older programs, which have used GRDB's migrator, recognise them.
enum OrderSchema {
    static let migrations = [
        OrderMigration(
            name: "1 orders and idempotency keys",
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
                """),
        OrderMigration(
            name: "2 index of idempotency keys by time",
            sql: "CREATE INDEX idempotency_keys_created ON idempotency_keys(created_ms)"),
    ]

    /// Returns the version of the tables; 0: there are none.
    ///
    /// - Throws: `OrderStoreError.newerSchema` if the store has had migrations that are not in the
    ///   list; `DatabaseError`.
    static func version(
        of db: Database, among migrations: [OrderMigration] = migrations
    ) throws -> Int {
        guard try db.tableExists("grdb_migrations") else { return 0 }
        let applied = Set(
            try String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations"))
        let known = migrations.prefix(applied.count).map(\.name)
        guard applied == Set(known) else {
            throw OrderStoreError.newerSchema(path: try file(of: db))
        }
        return applied.count
    }

    /// Returns the version of the tables, 1 or more.
    ///
    /// - Throws: as `version`; `OrderStoreError.damaged` if there are none.
    static func requireVersion(
        of db: Database, among migrations: [OrderMigration] = migrations
    ) throws -> Int {
        let version = try version(of: db, among: migrations)
        if version > 0 { return version }
        throw OrderStoreError.damaged(
            path: try file(of: db), reason: "it is a database without tables of orders")
    }

    /// The file of a database, without symbolic links: SQLite resolves them.
    static func file(of db: Database) throws -> String {
        try String.fetchOne(db, sql: "SELECT file FROM pragma_database_list") ?? ""
    }

    /// Applies all migrations that a store has not had, or none of them.
    static func migrate(_ db: Database, with migrations: [OrderMigration] = migrations) throws {
        // A migration may replace a table that another one refers to.
        try db.execute(sql: "PRAGMA foreign_keys = OFF")
        defer { try? db.execute(sql: "PRAGMA foreign_keys = ON") }
        try db.inTransaction(.immediate) {
            let version = try version(of: db, among: migrations)
            try db.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS
                        grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)
                    """)
            for migration in migrations[version...] {
                try db.execute(sql: migration.sql)
                try db.execute(
                    sql: "INSERT INTO grdb_migrations(identifier) VALUES (?)",
                    arguments: [migration.name])
            }
            try db.checkForeignKeys()
            return .commit
        }
    }

    static let insertOrder: StaticString =
        "INSERT INTO orders(price, goods, created_ms) VALUES (?, ?, ?)"
    static let insertKey: StaticString =
        "INSERT INTO idempotency_keys(sequence, created_ms, key) VALUES (?, ?, ?)"
    static let findKey: StaticString = """
        SELECT o.sequence, o.price, o.goods, o.created_ms, k.created_ms
        FROM idempotency_keys k JOIN orders o ON o.sequence = k.sequence WHERE k.key = ?
        """
    static let deleteKey: StaticString = "DELETE FROM idempotency_keys WHERE key = ?"
    static let deleteExpiredKeys: StaticString = """
        DELETE FROM idempotency_keys WHERE sequence IN
            (SELECT sequence FROM idempotency_keys WHERE created_ms <= ?
            ORDER BY created_ms LIMIT ?)
        """
    /// Keys with a time to come (the first value) that were made before a key that has expired (at
    /// the second value): sequence numbers grow, whatever the clock says.
    static let deleteExpiredFutureKeys: StaticString = """
        DELETE FROM idempotency_keys WHERE sequence IN
            (SELECT sequence FROM idempotency_keys WHERE created_ms > ? AND sequence <
                (SELECT sequence FROM idempotency_keys WHERE created_ms <= ?
                ORDER BY created_ms DESC LIMIT 1)
            LIMIT ?)
        """
    /// Writes the first page of the file, with the value that it has.
    static let writeHeader = "PRAGMA user_version = 0"
    static let findOrder: StaticString =
        "SELECT sequence, price, goods, created_ms FROM orders WHERE sequence = ?"
    static let anyOrder = "SELECT sequence FROM orders LIMIT 1"
    static let newestOrder =
        "SELECT sequence, price, goods, created_ms FROM orders ORDER BY sequence DESC LIMIT 1"
    /// The largest number that was given to an order.
    static let lastSequence = "SELECT seq FROM sqlite_sequence WHERE name = 'orders'"
    /// How many orders `Order` can't have, and the first of them.
    static let unreadableOrders = """
        SELECT count(*), min(sequence) FROM orders WHERE price NOT BETWEEN -2147483648 AND 2147483647
        """
    /// The orders behind a sequence number, with whether one has a key that was made after a time.
    static let ordersWithKeys: StaticString = """
        SELECT sequence, price, goods, created_ms, EXISTS
            (SELECT 1 FROM idempotency_keys k WHERE k.sequence = o.sequence AND k.created_ms > ?)
        FROM orders o WHERE sequence > ? ORDER BY sequence LIMIT ?
        """
    static let deleteKeyOfOrder: StaticString = "DELETE FROM idempotency_keys WHERE sequence = ?"
    static let deleteOrder: StaticString = "DELETE FROM orders WHERE sequence = ?"
    static let countOrders: StaticString = "SELECT count(*) FROM orders WHERE sequence <= ?"
    /// The orders behind a sequence number, each with its key and the time of that, or NULL.
    static let export: StaticString = """
        SELECT o.sequence, o.price, o.goods, o.created_ms, k.key, k.created_ms
        FROM orders o LEFT JOIN idempotency_keys k ON k.sequence = o.sequence
        WHERE o.sequence > ? ORDER BY o.sequence LIMIT ?
        """
    static let listOrders: StaticString = """
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
