import Foundation
import RocketSystem

/// Keeps programs that replace the files of a store apart from those that have it open: a lock
/// (flock(2)) on the folder of the store, which leaves no file behind. The stores of several servers
/// may share a folder. Released at its end, also by a crash. Any thread.
final class FolderLock: Sendable {
    enum Kind { case shared, exclusive }

    private let folder: FileDescriptor
    private let path: String

    /// Locks the folder of the store at `path`.
    ///
    /// - Throws: `OrderStoreError.inUse` if another process has it; `.missing`, `.notPermitted`,
    ///   `.cannotOpen`.
    init(ofStoreAt path: String, _ kind: Kind) throws(OrderStoreError) {
        self.path = path
        // The files are beside the target of a link.
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let name = FileAccess.folder(of: target)
        let raw = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard raw >= 0 else { throw FileAccess.error(name, .current) }
        folder = FileDescriptor(owning: raw)
        try change(to: kind)
    }

    /// Makes a shared lock exclusive, or the reverse. Does not wait.
    ///
    /// - Throws: `OrderStoreError.inUse`.
    func change(to kind: Kind) throws(OrderStoreError) {
        let operation = kind == .exclusive ? LOCK_EX : LOCK_SH
        if flock(folder.raw, operation | LOCK_NB) == 0 { return }
        // File systems without such locks: SQLite's own (`holder`) are what is left.
        guard Errno.current.isWouldBlock else { return }
        throw .inUse(
            path: path,
            reason: kind == .exclusive
                ? "a server has it open" : "its files are being replaced; try again later")
    }

    /// Releases the lock before its end.
    func unlock() { flock(folder.raw, LOCK_UN) }

    /// Returns the id of a process that has the database file open through SQLite; nil if there is
    /// none. Not for a file that this process has open: its own locks would be released.
    static func holder(ofFileAt path: String) -> pid_t? {
        let raw = open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { return nil }
        let file = FileDescriptor(owning: raw)
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        // The bytes that SQLite locks; a connection in WAL mode has the last ones shared.
        lock.l_start = 0x4000_0000
        lock.l_len = 512
        // SAFETY: F_GETLK reads and fills one struct.
        guard fcntl(file.raw, F_GETLK, &lock) == 0, lock.l_type != Int16(F_UNLCK) else {
            return nil
        }
        return lock.l_pid
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
