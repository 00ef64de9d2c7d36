import Glibc

/// Memory of this process that is the contents of a new file (mmap(2), MAP_SHARED): what was written to
/// it is in the file however the process ends, also by SIGKILL. It is written to the disk later, by the
/// kernel, so it doesn't survive a loss of power.
///
/// Owns the file, which it keeps locked, and the memory. The file must not be cut while it exists:
/// writing behind its end raises SIGBUS.
@safe
public struct SharedFileMemory: ~Copyable, Sendable {
    // SAFETY: mapped in init and unmapped in deinit; users of the pointer keep the owner alive.
    nonisolated(unsafe) private let base: UnsafeMutableRawPointer
    /// The size in bytes.
    public let byteCount: Int
    private let file: FileDescriptor

    /// Creates the file, which must not exist, with zeros, and reserves its space on the disk: a disk
    /// that becomes full later does no harm. Blocks on the disk.
    ///
    /// - Throws: `SystemError` with the path (EEXIST, EACCES, ENOSPC, ENOMEM …).
    public init(creating path: String, byteCount: Int, mode: UInt32 = 0o600) throws(SystemError) {
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let raw = unsafe path.withCString { unsafe open($0, flags, mode) }
        guard raw >= 0 else { throw SystemError("create \(path)", .current) }
        let file = FileDescriptor(owning: raw)
        guard file.lock(.exclusive) else { throw SystemError("lock \(path)", .again) }
        let code = posix_fallocate(raw, 0, byteCount)
        guard code == 0 else {
            try? FileSystem.remove(path)
            throw SystemError("reserve \(byteCount) bytes for \(path)", Errno(rawValue: code))
        }
        // SAFETY: a new mapping, whose address the kernel chooses.
        let base = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, raw, 0)
        guard let base = unsafe base, unsafe base != MAP_FAILED else {
            let error = Errno.current
            try? FileSystem.remove(path)
            throw SystemError("map \(path)", error)
        }
        unsafe self.base = base
        self.byteCount = byteCount
        self.file = file
    }

    deinit { unsafe munmap(base, byteCount) }

    /// The memory. Valid as long as this value lives.
    public var bytes: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    }

    /// Returns whether a process has the file at the path as its memory.
    ///
    /// - Throws: `SystemError` with the path (ENOENT, EACCES …).
    public static func isInUse(_ path: String) throws(SystemError) -> Bool {
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        let raw = unsafe path.withCString { unsafe open($0, flags) }
        guard raw >= 0 else { throw SystemError("open \(path)", .current) }
        let file = FileDescriptor(owning: raw)
        return !file.lock(.shared)
    }
}
