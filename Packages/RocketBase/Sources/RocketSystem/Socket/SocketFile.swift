import CRocketSystem

/// The file that a Unix socket leaves in the file system. Any thread.
public enum SocketFile {
    /// Whether the path is a socket; false for any other kind of file.
    ///
    /// - Throws: `SystemError`, ENOENT when there is nothing.
    public static func isSocket(_ path: String) throws(SystemError) -> Bool {
        try check("lstat \(path)", unsafe rocket_path_is_socket(path)) == 1
    }

    /// unlink(2).
    public static func remove(_ path: String) throws(SystemError) {
        try check("unlink \(path)", unsafe rocket_remove_path(path))
    }

    /// chmod(2), as in `0o660`.
    public static func setMode(_ mode: UInt32, of path: String) throws(SystemError) {
        try check("chmod \(path)", unsafe rocket_set_path_mode(path, mode))
    }
}
