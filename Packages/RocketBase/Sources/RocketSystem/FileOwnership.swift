import Glibc

/// What a process may do with a file (access(2)).
public struct FilePermission: OptionSet, Sendable {
    /// The mode of access(2).
    public let rawValue: Int32

    /// Creates a set from the mode of access(2).
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Reading the file, or the names in a folder.
    public static let read = FilePermission(rawValue: R_OK)
    /// Writing to the file, or making and removing files in a folder.
    public static let write = FilePermission(rawValue: W_OK)
    /// Of a folder: using the files in it.
    public static let search = FilePermission(rawValue: X_OK)
}

extension FileSystem {
    /// Checks, without opening the file, that this process may use it so (access(2), for the real
    /// user).
    ///
    /// - Throws: `SystemError` (EACCES, EROFS, ENOENT, ENOTDIR).
    public static func check(_ path: String, _ use: FilePermission) throws(SystemError) {
        if unsafe access(path, use.rawValue) != 0 { throw SystemError("access \(path)", .current) }
    }
}

/// Users of the system. Any thread.
public enum UserAccount {
    /// The user whose permissions this process has (geteuid(2)).
    public static var effectiveUID: UInt32 { geteuid() }

    /// Returns `root (uid 0)`, or `uid 61234` if the user has no name (getpwuid_r(3)). May block on
    /// a directory service.
    public static func description(of uid: UInt32) -> String {
        var buffer = [CChar](repeating: 0, count: 16 * 1024)
        // SAFETY: getpwuid_r fills `entry`, whose texts are in the buffer; both outlive their use.
        let name = unsafe buffer.withUnsafeMutableBufferPointer { buffer -> String? in
            var entry = unsafe passwd()
            var found: UnsafeMutablePointer<passwd>? = nil
            guard let base = buffer.baseAddress else { return nil }
            let code = unsafe getpwuid_r(uid, &entry, base, buffer.count, &found)
            if code != 0 { return nil }
            guard let user = unsafe found, let name = unsafe user.pointee.pw_name else {
                return nil
            }
            return unsafe String(cString: name)
        }
        return name.map { "\($0) (uid \(uid))" } ?? "uid \(uid)"
    }
}

extension FileDescriptor {
    /// The status of the open file (fstat(2)).
    public borrowing func status() throws(SystemError) -> FileStatus {
        var status = stat()
        // SAFETY: fstat fills one struct.
        guard unsafe fstat(raw, &status) == 0 else { throw SystemError("fstat", .current) }
        return FileStatus(status)
    }

    /// Sets the mode of the file (fchmod(2)).
    public borrowing func setMode(_ mode: UInt32) throws(SystemError) {
        guard fchmod(raw, mode) == 0 else { throw SystemError("fchmod", .current) }
    }

    /// Gives the file to a user and a group (fchown(2)), which only root may do.
    public borrowing func setOwner(uid: UInt32, gid: UInt32) throws(SystemError) {
        guard fchown(raw, uid, gid) == 0 else { throw SystemError("chown", .current) }
    }
}
