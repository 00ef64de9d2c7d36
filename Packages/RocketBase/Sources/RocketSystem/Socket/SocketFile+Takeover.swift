import CRocketSystem
import Glibc

/// Replacing and removing the files of Unix sockets without touching those of other servers. Any
/// thread.
extension SocketFile {
    /// Identifies one file, whatever path it has.
    public struct Identity: Hashable, Sendable {
        let device, inode: UInt64
    }

    /// Returns the identity of the file at the path.
    ///
    /// - Throws: `SystemError` (ENOENT).
    public static func identity(of path: String) throws(SystemError) -> Identity {
        var (device, inode): (UInt64, UInt64) = (0, 0)
        // SAFETY: fills the two numbers.
        try check("lstat \(path)", unsafe rocket_path_identity(path, &device, &inode))
        return Identity(device: device, inode: inode)
    }

    /// Runs `body` while no other caller, in any process, does so for a path in the same folder:
    /// what one finds at the path stays so until it has replaced it. The lock is flock(2) on the
    /// folder, so no file remains. Where the folder can't be read or locked, `body` runs without.
    ///
    /// Anyone who can read the folder can keep the lock, so after waiting for 200 ms `body` runs
    /// without it, too. Blocks the thread meanwhile.
    ///
    /// - Parameter lockHeld: called before `body` when the wait was in vain.
    /// - Throws: `SystemError` of `body`.
    public static func withFolderLocked<Result: ~Copyable>(
        of path: String, lockHeld: () -> Void = {}, _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let raw = unsafe rocket_open_folder(folder(of: path))
        if raw < 0 { return try body() }
        let folder = FileDescriptor(owning: raw)
        // Holders need the lock for some system calls, so a look each 10 ms is soon enough.
        var looks = 0
        while rocket_try_lock(folder.raw) != 0 {
            guard Errno.current.isWouldBlock else { break }
            looks += 1
            if looks > 20 {
                lockHeld()
                break
            }
            usleep(10_000)
        }
        return try body()
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
