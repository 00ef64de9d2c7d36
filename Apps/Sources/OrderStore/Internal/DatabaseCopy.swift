import OrderStoring
import SQLite

/// How far a copy of a store is. A value.
public struct OrderStoreProgress: Hashable, Sendable {
    /// Bytes that are copied.
    public let bytes: Int64
    /// Bytes in all.
    public let total: Int64

    /// Returns a number of bytes for people: `12.3 MiB`, `4.0 KiB`.
    public static func text(bytes: Int64) -> String {
        let (shift, unit): (Int64, String) = bytes < 1 << 20 ? (10, "KiB") : (20, "MiB")
        let tenths = (bytes * 10 + (1 << (shift - 1))) >> shift
        return "\(tenths / 10).\(tenths % 10) \(unit)"
    }

    /// A progress of so many bytes.
    public init(bytes: Int64, total: Int64) {
        self.bytes = bytes
        self.total = total
    }
}

/// Copies databases with SQLite's backup API, and verifies the copies. Blocks for as long as reading
/// and writing take.
enum DatabaseCopy {
    /// Pages of 4 KiB that are copied between two reports of progress.
    private static let pagesPerStep: CInt = 1024

    /// What a copy must have as well.
    private struct Contents {
        let file: String
        let orders: Int64
        let keys: Int64
        let last: Int64?

        /// - Throws: `OrderStoreError.newerSchema`, `.damaged` for another database.
        init(_ db: Database) throws {
            _ = try OrderSchema.requireVersion(of: db)
            file = try OrderSchema.file(of: db)
            orders = try Int64.fetchOne(db, sql: "SELECT count(*) FROM orders") ?? 0
            keys = try Int64.fetchOne(db, sql: "SELECT count(*) FROM idempotency_keys") ?? 0
            last = try Int64.fetchOne(db, sql: "SELECT max(sequence) FROM orders")
        }
    }

    /// How the temporary file is opened: `PartialFile` has locked it. On file systems over a network
    /// that is a lock of its bytes, which SQLite's own would not get.
    private static var unlocked: Configuration {
        var settings = Configuration()
        settings.vfs = "unix-none"
        return settings
    }

    /// Returns the same for a statement, whose connection needs `Configuration.allowsURIs`.
    private static func uri(_ path: String) -> String {
        let name = path.utf8.map { byte in
            let isPlain =
                byte > 0x20 && byte < 0x7F && !["%", "?", "#"].contains(UnicodeScalar(byte))
            return isPlain
                ? String(UnicodeScalar(byte))
                : "%" + String(Int(byte) + 0x100, radix: 16).dropFirst()
        }
        return "file:\(name.joined())?vfs=unix-none"
    }

    /// Copies what a connection sees in one read transaction, so that writers neither wait nor
    /// restart the copy, into the temporary file of `target`, and verifies it. Not synced yet.
    ///
    /// - Parameters:
    ///   - source: a connection that no other thread uses.
    ///   - prepare: changes the copy before it is verified; it keeps all orders.
    /// - Throws: `OrderStoreError`, `DatabaseError`.
    static func copy(
        _ source: any DatabaseReader, to target: PartialFile,
        prepare: (Database) throws -> Void = { _ in },
        progress: @escaping (OrderStoreProgress) -> Void = { _ in }
    ) throws -> OrderStoreReport {
        let contents = try source.read { db in
            // The first read takes the snapshot.
            let contents = try Contents(db)
            let pages = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            let size = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
            try FreeSpace.require(pages * size, for: target.path)
            let queue = try writing(target) {
                try DatabaseQueue(path: target.part, configuration: unlocked)
            }
            defer { try? queue.close() }
            try queue.writeWithoutTransaction { copy in
                // The file is synced as a whole afterwards.
                try writing(target) {
                    // Without locks, WAL mode needs it until it is changed.
                    try copy.execute(
                        sql: "PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE")
                }
                try db.backup(to: copy, pagesPerStep: pagesPerStep) { step in
                    progress(
                        OrderStoreProgress(
                            bytes: Int64(step.completedPageCount) * size,
                            total: Int64(step.totalPageCount) * size))
                }
                try writing(target) {
                    // One file: without a log beside it. The server changes it back.
                    _ = try String.fetchOne(copy, sql: "PRAGMA journal_mode = DELETE")
                    try prepare(copy)
                }
            }
            return contents
        }
        return try verify(target, contents)
    }

    /// Runs `body`, which uses the copy only: so its errors are not those of the source, except a
    /// damage, which was copied.
    private static func writing<Value>(
        _ target: PartialFile, _ body: () throws -> Value
    ) throws -> Value {
        do { return try body() } catch let error as DatabaseError {
            if [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode) { throw error }
            let isFull = error.resultCode == .SQLITE_FULL
            throw OrderStoreError.cannotCreate(
                path: target.path, reason: isFull ? "the disk is full" : error.sqliteText)
        }
    }

    /// Writes what a connection sees, without free pages, into the temporary file of `target`, and
    /// verifies it. Not synced yet.
    static func compact(
        _ source: DatabaseQueue, to target: PartialFile, began: (Int64) -> Void
    ) throws -> OrderStoreReport {
        let contents = try source.writeWithoutTransaction { db in
            let pages = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            let free = try Int64.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
            let size = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
            try FreeSpace.require((pages - free) * size, for: target.path)
            let contents = try Contents(db)
            began((pages - free) * size)
            try db.execute(sql: "VACUUM INTO ?", arguments: [uri(target.part)])
            return contents
        }
        return try verify(target, contents)
    }

    /// Checks the copy, and that it has all that the source has.
    private static func verify(
        _ target: PartialFile, _ source: Contents
    ) throws -> OrderStoreReport {
        let report = try writing(target) {
            try OrderStore.report(ofFileAt: target.part, as: target.path, unlocked)
        }
        guard report.isSound else {
            throw OrderStoreError.damaged(
                path: source.file,
                reason: "a copy of it is not sound: \(report.problems.joined(separator: "; "))")
        }
        guard report.orders == source.orders, report.keys == source.keys,
            report.newest?.sequence == source.last
        else {
            throw OrderStoreError.damaged(
                path: source.file, reason: "a copy of it has not all orders")
        }
        return report
    }
}
