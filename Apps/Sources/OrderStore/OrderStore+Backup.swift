public import OrderStoring
public import RocketSystem
import SQLite

/// Maintenance of the files of a store by another process than its server. All functions block for
/// as long as reading and writing the whole store take.
extension OrderStore {
    /// Copies the store to a new file, also while a server uses it: all orders that were confirmed
    /// before the call, and none in part. The copy is verified and on disk before it has its name;
    /// its mode is 0600. Until the copy is complete the server's log can't be emptied, so it grows
    /// by what is written meanwhile.
    ///
    /// - Parameters:
    ///   - file: must not exist, its folder must.
    ///   - progress: called after each 4 MiB.
    /// - Returns: the contents of the copy.
    /// - Throws: `OrderStoreError.missing`, `.notPermitted`, `.damaged`, `.cannotCreate`, `.inUse`
    ///   or `.cannotOpen`.
    public static func backUp(
        fileAt path: String, to file: String,
        progress: @escaping (OrderStoreProgress) -> Void = { _ in }
    ) throws(OrderStoreError) -> OrderStoreReport {
        try FileAccess.check(path)
        let target = try PartialFile(file)
        return try reporting(path, creating: file) {
            let report = try withReader(path) {
                try DatabaseCopy.copy($0, to: target, progress: progress)
            }
            try target.publish()
            return report
        }
    }

    /// Replaces the files of a store by a copy of `file`, which is verified first. The old files stay
    /// beside it under another name. The new one belongs to the owner of the old one, or of the
    /// folder if there is none; its mode is 0600, and its ids go on behind those of the old store,
    /// as far as that can be read.
    ///
    /// After a crash in between, the store is the old one or the new one, or it refuses to be opened
    /// until the restore is repeated.
    ///
    /// - Parameter progress: called after each 4 MiB.
    /// - Returns: the contents of the store; the new name of its old database, nil: there was none;
    ///   and why the old database can't be read, so that ids may be given again, nil: they are not.
    /// - Throws: as `backUp`; `.inUse` if a server has the store open, `.newerSchema`.
    public static func restore(
        fileAt path: String, from file: String, time: any TimeSource = SystemTimeSource(),
        progress: @escaping (OrderStoreProgress) -> Void = { _ in }
    ) throws(OrderStoreError) -> (report: OrderStoreReport, old: String?, idProblem: String?) {
        try FileAccess.check(file)
        let path = FileAccess.resolved(path)
        guard FileAccess.resolved(file) != path else {
            throw .cannotCreate(path: path, reason: "it is the file to be restored")
        }
        let lock = try FolderLock.forReplacing(path)
        defer { withExtendedLifetime(lock) {} }
        return try reporting(file, creating: path) {
            let old = try OldStore(at: path)
            let (last, idProblem) = old.lastSequence()
            // Without the file of an interrupted restore, a server would create a store.
            let target = try PartialFile(
                path, part: path + restoreSuffix, replaces: true, isKept: old.isInterrupted)
            let restored = try withReader(file) {
                try DatabaseCopy.copy(
                    $0, to: target, prepare: { try continueIDs(behind: last, in: $0) },
                    progress: progress)
            }
            try target.give(toOwnerOf: old.owner())
            try target.sync()
            // A server does not create a store while the file waits for its name.
            target.keep()
            let name = try old.keep(as: "\(path).before-\(time.wall().fileStamp)")
            try target.publish(replaces: true)
            return (restored, name, idProblem)
        }
    }

    /// Makes the file of a store as small as its contents: deleted orders leave pages that are used
    /// again, but not given back to the file system. Needs as much free space as the contents take.
    ///
    /// - Parameter began: called before the new file is written, with its size in bytes at most.
    /// - Returns: the contents of the store, and the size of its file before, in bytes.
    /// - Throws: as `backUp`; `.inUse` if a server has the store open.
    public static func compact(
        fileAt path: String, began: (Int64) -> Void = { _ in }
    ) throws(OrderStoreError) -> (report: OrderStoreReport, bytesBefore: Int64) {
        let path = FileAccess.resolved(path)
        try FileAccess.check(path, writing: true)
        let lock = try FolderLock.forReplacing(path)
        defer { withExtendedLifetime(lock) {} }
        let before = try checkIntegrity(ofFileAt: path)
        guard before.isSound else { throw .unsound(before) }
        return try reporting(path, creating: path) {
            let target = try PartialFile(path, part: path + ".compact", replaces: true)
            var settings = Configuration()
            settings.allowsURIs = true
            let source = try DatabaseQueue(path: path, configuration: settings)
            let report: OrderStoreReport
            do {
                defer { try? source.close() }
                // Then the last close removes the log, which would belong to another file.
                try source.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
                report = try DatabaseCopy.compact(source, to: target, began: began)
            }
            guard (FileSystem.size(of: path + "-wal") ?? 0) == 0 else {
                throw OrderStoreError.inUse(path: path, reason: "another process writes to its log")
            }
            if let status = try FileSystem.status(of: path) {
                try target.give(toOwnerOf: status)
            }
            try target.publish(replaces: true)
            return (report, before.bytes)
        }
    }
}

extension OrderStore {
    /// Removes the incomplete files of `backUp`, `restore` and `compact`, so that a signal can end
    /// the process at any moment. What a restore needs to be repeated stays. Any thread.
    public static func removeIncompleteFiles() { PartialFile.removeAll() }

    /// The name of a restored file that is not in its place yet: while it exists beside a missing
    /// database, that is not a store to be created.
    static let restoreSuffix = ".restore"

    /// Runs `body` with a connection that only reads, and closes it.
    static func withReader<Value>(
        _ path: String, _ settings: Configuration = Configuration(),
        _ body: (DatabaseQueue) throws -> Value
    ) throws -> Value {
        var settings = settings
        settings.readonly = true
        settings.busyMode = .timeout(5)
        let queue = try DatabaseQueue(path: path, configuration: settings)
        defer { try? queue.close() }
        return try body(queue)
    }

    /// Runs `body` with a connection that only reads, in one transaction.
    ///
    /// - Parameter recovers: whether a transaction that a crash has left in the rollback journal is
    ///   undone first, which writes to the file.
    static func reading<Value>(
        _ path: String, recovers: Bool, vfs: String? = nil, _ body: (Database) throws -> Value
    ) throws -> Value {
        var settings = Configuration()
        settings.vfs = vfs
        do {
            return try withReader(path, settings) { try $0.read(body) }
        } catch let error as DatabaseError {
            guard recovers, error.resultCode == .SQLITE_READONLY else { throw error }
        }
        let queue = try DatabaseQueue(path: path, configuration: settings)
        defer { try? queue.close() }
        return try queue.read(body)
    }

    /// Runs `body`, which reads the database at `path` and writes the file `target`, and maps its
    /// errors.
    static func reporting<Value>(
        _ path: String, creating target: String, _ body: () throws -> Value
    ) throws(OrderStoreError) -> Value {
        do { return try body() } catch {
            if (error as? DatabaseError)?.resultCode == .SQLITE_FULL {
                throw .cannotCreate(path: target, reason: "the disk is full")
            }
            throw OrderStoreError(opening: path, error)
        }
    }

    private static func continueIDs(behind last: Int64?, in db: Database) throws {
        guard let last else { return }
        try db.execute(
            sql: """
                INSERT INTO sqlite_sequence(name, seq) SELECT 'orders', 0
                    WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'orders');
                """)
        try db.execute(
            sql: "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'orders'",
            arguments: [last])
    }
}
