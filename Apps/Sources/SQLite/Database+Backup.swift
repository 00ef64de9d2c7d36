import CSQLite

/// How far a backup is. A value.
public struct DatabaseBackupProgress: Hashable, Sendable {
    /// Pages that are copied.
    public var completedPageCount: Int { totalPageCount - remainingPageCount }
    /// Pages that are not yet copied.
    public let remainingPageCount: Int
    /// Pages of the database.
    public let totalPageCount: Int
}

extension Database {
    /// Replaces the content of another database by that of this one (sqlite3_backup_init).
    ///
    /// - Parameters:
    ///   - pagesPerStep: pages that are copied between two reports; -1: all.
    ///   - progress: is called after each step, also the last. If it throws, the backup ends.
    public func backup(
        to other: Database, pagesPerStep: Int32 = -1,
        progress: (DatabaseBackupProgress) throws -> Void = { _ in }
    ) throws {
        // SAFETY: both connections outlive the backup, which is finished before this returns.
        let backup = unsafe sqlite3_backup_init(other.handle, "main", handle, "main")
        guard let backup = unsafe backup else {
            throw other.error(unsafe sqlite3_extended_errcode(other.handle))
        }
        var isFinished = false
        defer { if !isFinished { unsafe _ = sqlite3_backup_finish(backup) } }
        var code = SQLITE_OK
        while code != SQLITE_DONE {
            code = unsafe sqlite3_backup_step(backup, pagesPerStep)
            guard code == SQLITE_OK || code == SQLITE_DONE else {
                isFinished = true
                unsafe _ = sqlite3_backup_finish(backup)
                throw DatabaseError(resultCode: ResultCode(rawValue: code))
            }
            try progress(
                DatabaseBackupProgress(
                    remainingPageCount: Int(unsafe sqlite3_backup_remaining(backup)),
                    totalPageCount: Int(unsafe sqlite3_backup_pagecount(backup))))
        }
    }

    /// Whether there is a table of this name.
    public func tableExists(_ name: String) throws(DatabaseError) -> Bool {
        let statement = try cachedStatement(
            sql: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?")
        return try Row.fetchOne(statement, arguments: [name]) != nil
    }

    /// Throws `SQLITE_CONSTRAINT` if a row refers to one that is missing.
    public func checkForeignKeys() throws(DatabaseError) {
        guard try Row.fetchOne(self, sql: "PRAGMA foreign_key_check") == nil else {
            throw DatabaseError(
                resultCode: .SQLITE_CONSTRAINT, message: "a row refers to one that is missing")
        }
    }
}
