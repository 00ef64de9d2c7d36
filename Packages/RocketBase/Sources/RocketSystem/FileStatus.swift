import CRocketSystem
import Glibc

/// The identity, size, owner and mode of a file (stat(2)). A value.
public struct FileStatus: Hashable, Sendable {
    /// The device that contains the file.
    public let device: UInt64
    /// The file's number on its device. Two paths with the same device and inode are one file.
    public let inode: UInt64
    /// In bytes.
    public let size: Int
    /// The user that owns the file.
    public let uid: UInt32
    /// The group that owns the file.
    public let gid: UInt32
    /// The permission bits: 0 to 0o7777.
    public let mode: UInt32
    /// The names of the file (st_nlink): 0 when it was removed.
    public let linkCount: Int
    /// Whether the file is a folder.
    public let isFolder: Bool

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        uid = status.st_uid
        gid = status.st_gid
        mode = status.st_mode & 0o7777
        linkCount = Int(status.st_nlink)
        isFolder = status.st_mode & S_IFMT == S_IFDIR
    }
}

extension FileSystem {
    /// Returns the status of the file that the path leads to; nil when there is none (ENOENT,
    /// ENOTDIR).
    ///
    /// - Throws: `SystemError` with the last component of the path, which peers may read.
    public static func status(of path: String) throws(SystemError) -> FileStatus? {
        var status = stat()
        // SAFETY: stat fills one struct.
        if unsafe stat(path, &status) == 0 { return FileStatus(status) }
        let error = Errno.current
        if error.rawValue == ENOENT || error.rawValue == ENOTDIR { return nil }
        throw SystemError("stat \(name(of: path))", error)
    }

    /// Returns the last component of a path: `orders.sqlite` of `/var/lib/orders.sqlite`.
    public static func name(of path: String) -> String {
        String(path.split(separator: "/").last ?? "")
    }

    /// Returns the folder that contains the path's last component: `.` for a path without a slash.
    public static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Sets the mode of a file (chmod(2)).
    public static func setMode(_ path: String, _ mode: UInt32) throws(SystemError) {
        if unsafe chmod(path, mode) != 0 { throw SystemError("chmod \(path)", .current) }
    }

    /// Gives a file a second name, in one step (link(2)).
    ///
    /// - Returns: false if a file has that name.
    public static func link(_ path: String, as other: String) throws(SystemError) -> Bool {
        if unsafe Glibc.link(path, other) == 0 { return true }
        let error = Errno.current
        if error.rawValue == EEXIST { return false }
        throw SystemError("link \(other)", error)
    }

    /// Renames a file, in one step, unless a file of the new name exists (renameat2(2)).
    ///
    /// - Throws: `SystemError` (EEXIST; `Errno.isRenameUnsupported`).
    public static func renameNew(_ path: String, to other: String) throws(SystemError) {
        if unsafe rocket_rename_new(path, other) != 0 {
            throw SystemError("rename \(other)", .current)
        }
    }

    /// Opens an existing file for reading.
    public static func openForReading(_ path: String) throws(SystemError) -> FileDescriptor {
        try openClosingOnExec(path, O_RDONLY | O_NOCTTY)
    }
}

extension FileDescriptor {
    /// Returns the first `count` bytes of a file, fewer if it is shorter. The position of other
    /// reads does not change.
    public func firstBytes(_ count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        // SAFETY: the kernel writes at most `count` bytes to the array.
        let read = unsafe bytes.withUnsafeMutableBytes {
            unsafe pread(raw, $0.baseAddress, count, 0)
        }
        if read < 0 { throw SystemError("read", .current) }
        return Array(bytes[..<read])
    }
}
