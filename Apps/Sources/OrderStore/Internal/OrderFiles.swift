import Foundation
import GRDB
import RocketSystem

/// The files of an open database: the database, its write-ahead log, and the memory that processes
/// share. SQLite keeps them open, and goes on writing to files that have been deleted, replaced or
/// emptied: what it confirms then is gone after a restart. Any thread.
final class OrderFiles: Sendable {
    private struct File {
        let path: String
        let isLog: Bool
        let device: dev_t
        let inode: ino_t
    }

    private let files: [File]
    private let log: FileDescriptor

    /// Remembers the files of a database in WAL mode that has been read at least once.
    ///
    /// - Throws: `OrderStoreError.failed` if one of them is missing, `SystemError` for another
    ///   failure.
    init(of db: Database) throws {
        // SQLite resolves symbolic links: the other files are beside the target.
        let path = try String.fetchOne(db, sql: "SELECT file FROM pragma_database_list") ?? ""
        files = try ["", "-wal", "-shm"].map { suffix in
            let path = path + suffix
            guard let status = try Self.status(path) else {
                throw OrderStoreError.failed(reason: "\(path) is missing")
            }
            return File(
                path: path, isLog: suffix == "-wal", device: status.st_dev, inode: status.st_ino)
        }
        let raw = open(path + "-wal", O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("open \(path)-wal", .current) }
        log = FileDescriptor(owning: raw)
    }

    /// Returns what is wrong with the files directly after a commit; nil if they are those that were
    /// opened. Contains a file's name without its folder, as errors do: peers may read it.
    ///
    /// - Parameter hasWritten: whether the transaction has written. Otherwise the log may be empty:
    ///   another process has written it into the database by a checkpoint.
    /// - Throws: `SystemError` if that is unknown for now.
    func problem(hasWritten: Bool) throws(SystemError) -> String? {
        for file in files {
            let name = URL(fileURLWithPath: file.path).lastPathComponent
            guard let status = try Self.status(file.path) else { return "\(name) was deleted" }
            if status.st_dev != file.device || status.st_ino != file.inode {
                return "\(name) was replaced"
            }
            if status.st_size == 0, hasWritten || !file.isLog { return "\(name) was emptied" }
        }
        if !hasWritten { return nil }
        // A commit writes behind the frames that SQLite expects, also in a log that was emptied
        // meanwhile; then the log has no header, and a restart ignores the whole of it.
        var magic: UInt32 = 0
        let count = pread(log.raw, &magic, 4, 0)
        if count < 0 { throw SystemError("read the write-ahead log", .current) }
        return count == 4 && magic != 0 ? nil : "the write-ahead log was emptied"
    }

    /// Returns nil if there is no such file.
    private static func status(_ path: String) throws(SystemError) -> stat? {
        var status = stat()
        if stat(path, &status) == 0 { return status }
        let error = Errno.current
        if error.rawValue == ENOENT || error.rawValue == ENOTDIR { return nil }
        throw SystemError("stat \(URL(fileURLWithPath: path).lastPathComponent)", error)
    }
}
