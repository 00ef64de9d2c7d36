import Glibc

extension FileSystem {
    /// Opens a file for reading and writing; creates it when it is missing. Does not follow a
    /// symbolic link.
    ///
    /// - Parameter mode: the mode of a new file, as far as the umask allows.
    public static func openForWriting(
        _ path: String, mode: UInt32 = 0o600
    ) throws(SystemError) -> FileDescriptor {
        try openClosingOnExec(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY, mode)
    }

    /// Creates a file for reading and writing.
    ///
    /// - Throws: `SystemError` (EEXIST).
    public static func createNew(
        _ path: String, mode: UInt32 = 0o600
    ) throws(SystemError) -> FileDescriptor {
        try openClosingOnExec(path, O_RDWR | O_CREAT | O_EXCL | O_NOCTTY, mode)
    }

    /// Opens a folder, to lock it or to sync its names.
    public static func openFolder(_ path: String) throws(SystemError) -> FileDescriptor {
        try openClosingOnExec(path, O_RDONLY | O_DIRECTORY)
    }

    /// Opens a path with O_CLOEXEC (open(2)).
    static func openClosingOnExec(
        _ path: String, _ flags: Int32, _ mode: UInt32 = 0
    ) throws(SystemError) -> FileDescriptor {
        // SAFETY: Swift passes a NUL-terminated copy of the path.
        let raw = unsafe Glibc.open(path, flags | O_CLOEXEC, mode)
        guard raw >= 0 else { throw SystemError("open \(path)", .current) }
        return FileDescriptor(owning: raw)
    }

    /// The bytes that this process may still write to the file system of a folder (statvfs(3)); nil
    /// if that is unknown.
    public static func freeBytes(in folder: String) -> Int64? {
        var status = statvfs()
        // SAFETY: statvfs fills one struct.
        guard unsafe statvfs(folder, &status) == 0 else { return nil }
        return bytes(Int64(clamping: status.f_bavail), ofSize: Int64(clamping: status.f_frsize))
    }

    /// The size of so many blocks, at most `Int64.max`: file systems over a network report any
    /// number.
    static func bytes(_ blocks: Int64, ofSize size: Int64) -> Int64 {
        let (bytes, overflow) = blocks.multipliedReportingOverflow(by: size)
        return overflow ? .max : bytes
    }
}

extension FileDescriptor {
    /// Waits until the file's contents, or a folder's names, are on disk (fsync(2)).
    public borrowing func sync() throws(SystemError) {
        guard fsync(raw) == 0 else { throw SystemError("fsync", .current) }
    }

    /// Allocates the first `bytes` bytes of the file (posix_fallocate(3)).
    ///
    /// - Throws: `SystemError` (ENOSPC, EDQUOT).
    public borrowing func allocate(_ bytes: Int) throws(SystemError) {
        let code = posix_fallocate(raw, 0, bytes)
        if code != 0 { throw SystemError("fallocate", Errno(rawValue: code)) }
    }
}

/// A lock on a whole file or folder (flock(2)): it ends with the descriptor, also by a crash.
public enum FileLockKind: Sendable {
    /// Any number of processes.
    case shared
    /// One process, and none that has it shared.
    case exclusive
}

extension FileDescriptor {
    /// Locks the file, or changes the kind of its lock, without waiting.
    ///
    /// - Returns: false if another descriptor has a lock that excludes this one. True also on a file
    ///   system without such locks.
    public borrowing func lock(_ kind: FileLockKind) -> Bool {
        if flock(raw, (kind == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 { return true }
        return !Errno.current.isWouldBlock
    }

    /// Releases the lock.
    public borrowing func unlock() { _ = flock(raw, LOCK_UN) }

    /// Returns the id of a process that has a record lock (fcntl(2), F_GETLK) in `range` of the file;
    /// nil if there is none, or if that is unknown. Locks of this process don't count.
    public borrowing func recordLockHolder(in range: Range<Int>) -> Int32? {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = range.lowerBound
        lock.l_len = range.count
        // SAFETY: F_GETLK reads and fills one struct.
        guard unsafe fcntl(raw, F_GETLK, &lock) == 0, lock.l_type != Int16(F_UNLCK) else {
            return nil
        }
        return lock.l_pid
    }
}
