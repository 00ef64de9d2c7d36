import OrderStoring
import RocketSystem
import SQLite

/// The files of an open database: the database, its write-ahead log, and the memory that processes
/// share. SQLite keeps them open, and goes on writing to files that have been deleted, replaced or
/// emptied: what it confirms then is gone after a restart. Any thread.
final class OrderFiles: Sendable {
    private struct File {
        let path: String
        /// Without its folder.
        let name: String
        let isLog: Bool
        let opened: FileStatus
    }

    /// The database, without symbolic links.
    let path: String
    private let files: [File]
    private let log: FileDescriptor

    /// Remembers the files of a database in WAL mode that has been read at least once.
    ///
    /// - Throws: `OrderStoreError.failed` if one of them is missing, `SystemError` for another
    ///   failure.
    init(of db: Database) throws {
        path = try OrderSchema.file(of: db)
        files = try ["", "-wal", "-shm"].map { [path] suffix in
            let path = path + suffix
            guard let status = try FileSystem.status(of: path) else {
                throw OrderStoreError.failed(reason: "\(path) is missing")
            }
            return File(
                path: path, name: FileSystem.name(of: path), isLog: suffix == "-wal",
                opened: status)
        }
        log = try FileSystem.openForReading(path + "-wal")
    }

    /// Returns what is wrong with the files directly after a commit; nil if they are those that were
    /// opened. Contains a file's name without its folder, as errors do: peers may read it.
    ///
    /// - Parameter hasWritten: whether the transaction has written. Otherwise the log may be empty:
    ///   another process has written it into the database by a checkpoint.
    /// - Throws: `SystemError` if that is unknown for now.
    func problem(hasWritten: Bool) throws(SystemError) -> String? {
        for file in files {
            guard let status = try FileSystem.status(of: file.path) else {
                return "\(file.name) was deleted"
            }
            if status.device != file.opened.device || status.inode != file.opened.inode {
                return "\(file.name) was replaced"
            }
            if status.size == 0, hasWritten || !file.isLog { return "\(file.name) was emptied" }
        }
        if !hasWritten { return nil }
        // A commit writes behind the frames that SQLite expects, also in a log that was emptied
        // meanwhile; then the log has no header, and a restart ignores the whole of it.
        let magic = try log.firstBytes(4)
        return magic.count == 4 && magic.contains { $0 != 0 }
            ? nil : "the write-ahead log was emptied"
    }
}
