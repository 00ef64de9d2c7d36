import OrderStoring
import RocketSystem

/// Keeps programs that replace the files of a store, or migrate it, apart from those that have it
/// open: a lock (flock(2)) on the folder of the store, which leaves no file behind. The stores of
/// several servers may share a folder. Released at its end, also by a crash. Any thread.
final class FolderLock: Sendable {
    private let folder: FileDescriptor

    /// Locks the folder of the store at `path` (without symbolic links). Does not wait.
    ///
    /// - Throws: `OrderStoreError.inUse` if another process has it; `.missing`, `.notPermitted`,
    ///   `.cannotOpen`.
    init(ofStoreAt path: String, _ kind: FileLockKind) throws(OrderStoreError) {
        let name = FileSystem.folder(of: path)
        do { folder = try FileSystem.openFolder(name) } catch {
            throw FileAccess.error(name, error.errno)
        }
        // On file systems without such locks SQLite's own (`holder`) are what is left.
        if folder.lock(kind) { return }
        throw .inUse(
            path: path,
            reason: kind == .exclusive
                ? "a server has this store, or another one in its folder, open: stop it"
                : "its files are being replaced or migrated; try again later")
    }

    /// Not by closing the folder alone: a program that the process is about to start has it open, too.
    deinit { folder.unlock() }

    /// Releases the lock before its end.
    func unlock() { folder.unlock() }

    /// Returns the id of a process that has the database file open through SQLite; nil if there is
    /// none. Not for a file that this process has open: its own locks would be released.
    static func holder(ofFileAt path: String) -> Int32? {
        guard let file = try? FileSystem.openForReading(path) else { return nil }
        // The bytes that SQLite locks; a connection in WAL mode has the last ones shared.
        return file.recordLockHolder(in: 0x4000_0000..<0x4000_0200)
    }

    /// Locks a store whose files are to be replaced.
    ///
    /// - Throws: `OrderStoreError.inUse` if any process has it open.
    static func forReplacing(_ path: String) throws(OrderStoreError) -> FolderLock {
        let lock = try FolderLock(ofStoreAt: path, .exclusive)
        if let pid = holder(ofFileAt: path) {
            throw .inUse(path: path, reason: "process \(pid) has it open; stop it first")
        }
        return lock
    }
}
