import OrderStoring
import RocketSystem
import SQLite

/// Orders that were removed from a store: one SQLite database for each month in which they were made
/// (UTC), `orders-202611.sqlite`, in a folder. Storing an order that is in it already changes
/// nothing. Belongs to the writer's thread.
struct OrderArchive {
    private let folder: String
    private let vfs: String?
    /// The file of the last order that was stored.
    private var open: (path: String, queue: DatabaseQueue)?

    private static let schema = """
        CREATE TABLE IF NOT EXISTS orders(
            sequence INTEGER NOT NULL,
            price INTEGER NOT NULL,
            goods TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            PRIMARY KEY (sequence, created_ms)
        ) STRICT, WITHOUT ROWID
        """

    /// Orders wait for the writer meanwhile: a reader of an archive must not hold it up.
    static let busyMode = Configuration.BusyMode.timeout(0.05)

    /// - Parameter vfs: as `OrderStoreConfiguration.vfs`.
    init(folder: String, vfs: String?) {
        self.folder = folder
        self.vfs = vfs
    }

    /// Stores the orders; they are on disk when this returns.
    ///
    /// - Returns: how many orders which file has now.
    /// - Throws: `OrderStoreError.failed` if the archive has another order with the sequence number
    ///   and the time of one; `SystemError`, `DatabaseError`.
    mutating func store(_ orders: [Order]) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        let months = Dictionary(grouping: orders, by: { $0.id.day / 100 })
        for (month, orders) in months.sorted(by: { $0.key < $1.key }) {
            let path = "\(folder)/orders-\(month).sqlite"
            try database(path).write { db in
                for order in orders { try Self.store(order, in: db) }
            }
            counts[path] = orders.count
        }
        return counts
    }

    /// Closes the file.
    mutating func close() {
        if let (_, queue) = open.take() { try? queue.close() }
    }

    private mutating func database(_ path: String) throws -> DatabaseQueue {
        if let open, open.path == path { return open.queue }
        close()
        try FileSystem.makeFolder(folder, mode: 0o750)
        // For the owner only, whatever the umask.
        try FileSystem.openForWriting(path).close()
        try PartialFile.syncFolder(of: path)
        var settings = Configuration()
        settings.busyMode = Self.busyMode
        settings.vfs = vfs
        let queue = try DatabaseQueue(path: path, configuration: settings)
        try queue.writeWithoutTransaction { db in
            // Orders are deleted from the store after the commit: the end of the journal has to be
            // on disk, or a power cut would undo it.
            try db.execute(sql: "PRAGMA synchronous = EXTRA")
            try db.execute(sql: Self.schema)
        }
        open = (path, queue)
        return queue
    }

    private static func store(_ order: Order, in db: Database) throws {
        let key: StatementArguments = [order.id.sequence, order.createdMilliseconds]
        try db.cachedStatement(
            sql:
                "INSERT OR IGNORE INTO orders(sequence, created_ms, price, goods) VALUES (?, ?, ?, ?)"
        ).execute(arguments: key + [order.price, order.goods])
        if db.changesCount == 1 { return }
        let statement = try db.cachedStatement(
            sql: "SELECT price, goods FROM orders WHERE sequence = ? AND created_ms = ?")
        let row = try Row.fetchOne(statement, arguments: key)
        guard let row, row[0] as Int32? == order.price, row[1] as String? == order.goods else {
            throw OrderStoreError.failed(
                reason: "the archive has another order \(order.id), perhaps of another store")
        }
    }
}
