import OrderStoring
import RocketSystem
import SQLite

/// The files of a store that a restore replaces. After a restore that was interrupted between its
/// renames, the database has its name beside the store already. For the process that has the store's
/// `FolderLock`.
struct OldStore {
    private let path: String
    /// The name of the database now; nil: there is none.
    let database: String?
    /// Whether a restore was interrupted after the database got another name.
    let isInterrupted: Bool

    /// Finds the files of the store at `path`. After an interrupted restore, gives the log the name
    /// of the database.
    init(at path: String) throws {
        self.path = path
        let isMissing = !FileSystem.exists(path)
        isInterrupted = isMissing && FileSystem.exists(path + OrderStore.restoreSuffix)
        database = isMissing ? isInterrupted ? try Self.newestKept(path) : nil : path
        if isInterrupted, let database,
            !["-journal", "-wal"].contains(where: { FileSystem.exists(database + $0) })
        {
            _ = try Self.moveOthers(of: path, as: database)
        }
    }

    /// The owner of the database, or of its folder if there is none.
    func owner() throws -> FileStatus {
        let name = database ?? FileSystem.folder(of: path)
        guard let status = try FileSystem.status(of: name) else {
            throw OrderStoreError.missing(path: path, reason: "\(name) is missing")
        }
        return status
    }

    /// Reads the last sequence number that the store has given. The copy that an interrupted restore
    /// has left goes on behind it as well.
    ///
    /// - Returns: nil for `last` if no order was made; `problem`: why the store can't be read.
    func lastSequence() -> (last: Int64?, problem: String?) {
        var last: Int64?
        if isInterrupted {
            last = (try? Self.lastSequence(of: path + OrderStore.restoreSuffix)) ?? nil
        }
        guard let database else { return (last, nil) }
        do {
            let own = try Self.lastSequence(of: database)
            return ([last, own].compactMap(\.self).max(), nil)
        } catch {
            return (last, (error as? DatabaseError)?.sqliteText ?? "\(error)")
        }
    }

    private static func lastSequence(of path: String) throws -> Int64? {
        try OrderStore.reading(path, recovers: true) { db in
            try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'orders'")
        }
    }

    /// Renames the database, then its log: without the first, a server does not start with an older
    /// state.
    ///
    /// - Parameter wanted: the new name, to which a number is added if it is in use.
    /// - Returns: the name that the database has now; nil: there is no database.
    func keep(as wanted: String) throws -> String? {
        let name = PartialFile.unusedName(wanted)
        if isInterrupted, let database {
            // Where it has a log already, another one is not its own.
            _ = try Self.moveOthers(of: path, as: name)
            return database
        }
        if database != nil { try FileSystem.rename(path, to: name) }
        let other = try Self.moveOthers(of: path, as: name)
        return database == nil ? other : name
    }

    /// Renames the log of a database, and the journal of a transaction that has not ended: beside
    /// the next database, SQLite would write their pages into that.
    private static func moveOthers(of path: String, as name: String) throws -> String? {
        var moved: String?
        for suffix in ["-journal", "-wal"] where FileSystem.exists(path + suffix) {
            // Connections that only read leave an empty log.
            if FileSystem.size(of: path + suffix) == 0 {
                try FileSystem.remove(path + suffix)
                continue
            }
            try FileSystem.rename(path + suffix, to: name + suffix)
            moved = moved ?? name + suffix
        }
        try FileSystem.remove(path + "-shm")
        try PartialFile.syncFolder(of: path)
        return moved
    }

    /// Returns the database that was given another name last: the names contain the time.
    private static func newestKept(_ path: String) throws -> String? {
        let folder = FileSystem.folder(of: path)
        let prefix = FileSystem.name(of: path) + ".before-"
        return try FileSystem.names(in: folder)
            .filter { name in
                name.hasPrefix(prefix)
                    && !["-journal", "-wal", "-shm"].contains(where: name.hasSuffix)
            }
            .max().map { "\(folder)/\($0)" }
    }
}
