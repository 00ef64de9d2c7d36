import Foundation
import GRDB

/// Opens the database file with the settings of the store.
enum OrderDatabase {
    static func open(
        _ configuration: OrderStoreConfiguration
    ) throws(OrderStoreError) -> DatabasePool {
        let path = configuration.path
        do {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let pool = try DatabasePool(path: path, configuration: settings(configuration))
            try pool.writeWithoutTransaction { db in
                // GRDB sets NORMAL after opening in WAL mode, which syncs at checkpoints only: a
                // power cut would lose confirmed orders.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                if let pages = configuration.maxPages {
                    try db.execute(sql: "PRAGMA max_page_count = \(pages)")
                }
                if try OrderSchema.migrator.hasBeenSuperseded(db) {
                    throw OrderStoreError.newerSchema(path: path)
                }
            }
            try OrderSchema.migrator.migrate(pool)
            return pool
        } catch let error as OrderStoreError {
            throw error
        } catch let error as DatabaseError {
            throw .cannotOpen(path: path, reason: error.sqliteText)
        } catch {
            throw .cannotOpen(path: path, reason: error.localizedDescription)
        }
    }

    private static func settings(_ configuration: OrderStoreConfiguration) -> Configuration {
        var settings = Configuration()
        settings.label = "orders"
        // A transaction of another process (a backup, the sqlite3 shell) only delays ours.
        settings.busyMode = .timeout(5)
        settings.maximumReaderCount = max(1, configuration.readerThreads)
        settings.persistentReadOnlyConnections = true
        return settings
    }
}
