import RocketSystem
import SQLite

/// Opens the database file with the settings of the store.
enum OrderDatabase {
    /// Creates the file if it is missing, and migrates an older one.
    ///
    /// - Returns: the connections, the files that they have opened, and whether they are new.
    static func open(
        _ configuration: OrderStoreConfiguration
    ) throws(OrderStoreError) -> (pool: DatabasePool, files: OrderFiles, isNew: Bool) {
        let path = configuration.path
        do {
            let isNew = try createIfMissing(path)
            let pool = try DatabasePool(path: path, configuration: settings(configuration))
            try pool.writeWithoutTransaction { db in
                // NORMAL, to which SQLite can be built, syncs at checkpoints only: a power cut would
                // lose confirmed orders.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                if let pages = configuration.maxPages {
                    try db.execute(sql: "PRAGMA max_page_count = \(pages)")
                }
                if try OrderSchema.migrator.hasBeenSuperseded(db) {
                    throw OrderStoreError.newerSchema(path: path)
                }
            }
            try OrderSchema.migrator.migrate(pool)
            return (pool, try pool.writeWithoutTransaction { try OrderFiles(of: $0) }, isNew)
        } catch let error as OrderStoreError {
            throw error
        } catch let error as DatabaseError {
            throw .cannotOpen(path: path, reason: error.sqliteText)
        } catch let error as SystemError {
            throw .cannotOpen(path: path, reason: error.description)
        } catch {
            throw .cannotOpen(path: path, reason: "\(error)")
        }
    }

    /// Writes everything in the log into the file, and closes the connections.
    static func close(_ pool: DatabasePool) throws {
        // A read-only connection that is closed last can't do it.
        pool.invalidateReadOnlyConnections()
        try pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        try pool.close()
    }

    /// Creates a database if there is no file, under another name first: so an empty file at the
    /// path is never one that a crash has left while the store was created.
    ///
    /// - Returns: whether it was created.
    /// - Throws: `OrderStoreError.cannotOpen` for the rest of a store whose orders are lost, in
    ///   which SQLite would see a new database.
    private static func createIfMissing(_ path: String) throws -> Bool {
        if FileSystem.exists(path) {
            if FileSystem.size(of: path) == 0 {
                throw OrderStoreError.cannotOpen(
                    path: path,
                    reason: "the file is empty; restore it, or move it away to begin a new store")
            }
            return false
        }
        if let size = FileSystem.size(of: path + "-wal"), size > 0 {
            throw OrderStoreError.cannotOpen(
                path: path,
                reason: "the file is missing, but not its write-ahead log; restore it, or move "
                    + "\(path)-wal away to begin a new store")
        }
        try FileSystem.makeFolder(FileSystem.folder(of: path))
        let new = path + ".new"
        let queue = try DatabaseQueue(path: new)
        try OrderSchema.migrator.migrate(queue)
        try queue.close()
        try FileSystem.setMode(new, 0o600)
        // If another process was faster, its file is used.
        let isFirst = try FileSystem.link(new, as: path)
        try FileSystem.remove(new)
        return isFirst
    }

    private static func settings(_ configuration: OrderStoreConfiguration) -> Configuration {
        var settings = Configuration()
        // A transaction of another process (a backup, the sqlite3 shell) only delays ours.
        settings.busyMode = .timeout(5)
        settings.maximumReaderCount = max(1, configuration.readerThreads)
        return settings
    }
}

/// Keeps the connections of a database open until the process ends. What is on the disk is not what
/// they expect: the end of the last one would write to it, and delete the log of another database
/// at the same path.
final class UnclosedDatabase {
    private let pool: DatabasePool
    private var cycle: UnclosedDatabase?

    init(_ pool: DatabasePool) {
        self.pool = pool
        cycle = self
    }
}
