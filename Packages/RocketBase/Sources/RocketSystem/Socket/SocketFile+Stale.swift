import Glibc

extension SocketFile {
    /// Returns what is at a path: `a folder`; a link is not followed. nil: nothing, or a socket.
    private static func kindOfOther(_ path: String) throws(SystemError) -> String? {
        var status = stat()
        // SAFETY: lstat fills one struct.
        if unsafe lstat(path, &status) != 0 {
            let error = Errno.current
            if error.isMissing { return nil }
            throw SystemError("lstat \(path)", error)
        }
        switch status.st_mode & S_IFMT {
        case S_IFSOCK: return nil
        case S_IFREG: return "a file"
        case S_IFDIR: return "a folder"
        case S_IFLNK: return "a symbolic link"
        case S_IFIFO: return "a FIFO"
        default: return "a device"
        }
    }

    /// Removes the file that a crashed server has left, only if it is a socket and no process listens
    /// there. If one does, `bind` fails: the address is in use.
    ///
    /// - Throws: `SystemError` if the file can't be looked at or removed, or is something other than a
    ///   socket, which is left alone (EADDRINUSE).
    public static func removeStale(
        _ path: String, at address: SocketAddress
    ) throws(SystemError) {
        if let kind = try kindOfOther(path) {
            throw SystemError("\(kind), no socket, is at the path", .addressInUse)
        }
        if !FileSystem.exists(path) { return }
        let probe = try FileDescriptor.streamSocket(for: address)
        do {
            _ = try probe.connect(to: address)
        } catch  where error.errno.isRefused {
            try remove(path)
        } catch {
            // A process listens, or that can't be determined.
        }
    }
}
