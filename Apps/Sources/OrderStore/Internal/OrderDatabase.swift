import OrderStoring
import RocketSystem
import SQLite

/// The open database of a store.
struct OpenDatabase {
    let pool: DatabasePool
    /// The files that the connections have opened.
    let files: OrderFiles
    /// Keeps other programs from replacing the files.
    let lock: FolderLock
    /// What an operator should know of opening it.
    let events: [OrderStoreEvent]
}

/// Opens the database file with the settings of the store.
enum OrderDatabase {
    /// Creates the file if it is missing, and migrates an older one, after a copy of it was made
    /// beside it: `orders.sqlite.v2-20261128T233400Z`. A migration that fails changes nothing.
    static func open(
        _ configuration: OrderStoreConfiguration, time: any TimeSource = SystemTimeSource(),
        migrations: [OrderMigration] = OrderSchema.migrations
    ) throws(OrderStoreError) -> OpenDatabase {
        let path = FileAccess.resolved(configuration.path)
        do {
            try makeFolder(of: path)
            let lock = try FolderLock(ofStoreAt: path, .shared)
            var events: [OrderStoreEvent] =
                try createIfMissing(path, vfs: configuration.vfs) ? [.created] : []
            try FileAccess.check(path, writing: true)
            // Before the pool changes the journal mode: a newer store stays as it is.
            let version = try OrderStore.reading(path, recovers: true, vfs: configuration.vfs) {
                try OrderSchema.requireVersion(of: $0, among: migrations)
            }
            let pool = try DatabasePool(path: path, configuration: settings(configuration))
            try pool.writeWithoutTransaction { db in
                // NORMAL, to which SQLite can be built, syncs at checkpoints only: a power cut would
                // lose confirmed orders.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                if let pages = configuration.maxPages {
                    try db.execute(sql: "PRAGMA max_page_count = \(pages)")
                }
            }
            if version < migrations.count {
                let backup = try backUp(pool, version: version, path, time)
                do {
                    try pool.writeWithoutTransaction {
                        try OrderSchema.migrate($0, with: migrations)
                    }
                } catch {
                    // The store is as it was: starts that fail again and again must not fill the
                    // disk.
                    try? FileSystem.remove(backup)
                    throw error
                }
                events.append(.migrated(from: version, to: migrations.count, backup: backup))
            }
            let files = try pool.writeWithoutTransaction { db in
                // A process that was killed may have left orders whose sync it did not reach, or that
                // has failed. Callers see them from now on, so a power cut must not take them away.
                try db.inTransaction(.immediate) {
                    try db.rewriteLog()
                    return .rollback
                }
                return try OrderFiles(of: db)
            }
            return OpenDatabase(pool: pool, files: files, lock: lock, events: events)
        } catch {
            throw OrderStoreError(opening: path, error)
        }
    }

    /// Returns the name of a verified copy of the store.
    private static func backUp(
        _ pool: DatabasePool, version: Int, _ path: String, _ time: any TimeSource
    ) throws -> String {
        let name = PartialFile.unusedName("\(path).v\(version)-\(time.wall().fileStamp)")
        // Without the time: what a start that was ended has left is overwritten by the next one.
        let target = try PartialFile(name, part: path + ".migration")
        _ = try DatabaseCopy.copy(pool, to: target)
        try target.publish()
        return name
    }

    private static func makeFolder(of path: String) throws(OrderStoreError) {
        let folder = FileSystem.folder(of: path)
        do { try FileSystem.makeFolder(folder, mode: 0o750) } catch {
            throw error.errno.isNotPermitted
                ? OrderStoreError(opening: path, error)
                : .cannotCreate(path: path, reason: error.description)
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
    private static func createIfMissing(_ path: String, vfs: String?) throws -> Bool {
        if FileSystem.exists(path) {
            if FileSystem.size(of: path) == 0 {
                throw OrderStoreError.cannotOpen(
                    path: path,
                    reason: "the file is empty; restore it, or move it away to begin a new store")
            }
            return false
        }
        for (suffix, kind) in [("-wal", "write-ahead log"), ("-journal", "rollback journal")] {
            guard let size = FileSystem.size(of: path + suffix), size > 0 else { continue }
            throw OrderStoreError.cannotOpen(
                path: path,
                reason: "the file is missing, but not its \(kind); restore it, or move "
                    + "\(path)\(suffix) away to begin a new store")
        }
        if FileSystem.exists(path + OrderStore.restoreSuffix) {
            throw OrderStoreError.missing(
                path: path, reason: "a restore has not ended; repeat it (order_server --restore)")
        }
        try FileAccess.checkFolder(of: path)
        let new = path + ".new"
        // A second name, which a crash has left, of a store that was moved away.
        if let status = try FileSystem.status(of: new), status.linkCount > 1 {
            try FileSystem.remove(new)
        }
        var settings = Configuration()
        settings.vfs = vfs
        let queue = try DatabaseQueue(path: new, configuration: settings)
        try queue.writeWithoutTransaction { try OrderSchema.migrate($0) }
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
        settings.vfs = configuration.vfs
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
