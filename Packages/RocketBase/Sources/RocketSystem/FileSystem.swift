import Glibc

/// Files and folders by path, as far as logs need them. Every function may block on the disk.
public enum FileSystem {
    /// Opens for appending, makes the file when there is none (mode 0644).
    public static func openForAppending(_ path: String) throws(SystemError) -> FileDescriptor {
        // SAFETY: Swift passes a NUL-terminated copy of the path.
        let raw = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard raw >= 0 else { throw SystemError("open \(path)", .current) }
        return FileDescriptor(owning: raw)
    }

    /// Makes the folder with all that are missing above it (mode 0755); fine when it exists.
    public static func makeFolder(_ path: String) throws(SystemError) {
        var end = path.startIndex
        while end != path.endIndex {
            end = path[end...].dropFirst().firstIndex(of: "/") ?? path.endIndex
            let part = String(path[..<end])
            // SAFETY: as above.
            if unsafe mkdir(part, 0o755) != 0, errno != EEXIST, !isFolder(part) {
                throw SystemError("mkdir \(part)", .current)
            }
        }
    }

    /// Whether a folder stands there.
    public static func isFolder(_ path: String) -> Bool {
        var status = stat()
        // SAFETY: stat fills one struct.
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a folder without `.` and `..`, in no order.
    public static func names(in folder: String) throws(SystemError) -> [String] {
        guard let handle = unsafe opendir(folder) else {
            throw SystemError("opendir \(folder)", .current)
        }
        defer { unsafe _ = closedir(handle) }
        var names: [String] = []
        // SAFETY: an entry is valid until the next readdir of this handle.
        while let entry = unsafe readdir(handle) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Whether there is anything of that name, of whatever kind.
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        // SAFETY: stat fills one struct.
        return unsafe stat(path, &status) == 0
    }

    /// The bytes of a regular file; nil when there is none.
    public static func size(of path: String) -> Int? {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        return Int(status.st_size)
    }

    /// The last byte of a file; nil when it is empty.
    public static func lastByte(of path: String) throws(SystemError) -> UInt8? {
        let raw = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("open \(path)", .current) }
        let file = FileDescriptor(owning: raw)
        let size = try file.fileSize()
        var byte: UInt8 = 0
        guard size > 0, unsafe pread(file.raw, &byte, 1, size - 1) == 1 else { return nil }
        return byte
    }

    /// Removes a file; fine when there is none.
    public static func remove(_ path: String) throws(SystemError) {
        if unsafe unlink(path) != 0, errno != ENOENT {
            throw SystemError("unlink \(path)", .current)
        }
    }

    /// Renames a file, over another where one stands.
    public static func rename(_ path: String, to other: String) throws(SystemError) {
        if unsafe Glibc.rename(path, other) != 0 { throw SystemError("rename \(path)", .current) }
    }
}

extension FileDescriptor {
    /// The file's size in bytes.
    public borrowing func fileSize() throws(SystemError) -> Int {
        var status = stat()
        guard unsafe fstat(raw, &status) == 0 else { throw SystemError("fstat", .current) }
        return Int(status.st_size)
    }

    /// Cuts or grows the file to `size` bytes.
    public borrowing func truncate(to size: Int) throws(SystemError) {
        guard ftruncate(raw, size) == 0 else { throw SystemError("ftruncate", .current) }
    }
}

/// The process's own output channels, which are never closed by us.
public enum StandardStream {
    /// The number of standard error.
    public static var error: Int32 { STDERR_FILENO }

    /// Whether standard error is a terminal.
    public static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether standard error is connected to the journal: JOURNAL_STREAM names its device and
    /// inode (systemd.exec(5)).
    public static var errorIsJournal: Bool {
        // SAFETY: getenv's text is copied at once.
        guard let text = unsafe getenv("JOURNAL_STREAM").map({ unsafe String(cString: $0) })
        else { return false }
        var status = stat()
        guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
        return text == "\(status.st_dev):\(status.st_ino)"
    }
}

/// Writing to a descriptor by number.
public enum RawWrite {
    /// One write(2), repeated when a signal interrupted it; how many bytes went out.
    ///
    /// - Throws: EAGAIN, ENOSPC, EFBIG, EIO, EPIPE …
    public static func some(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32
    ) throws(SystemError) -> Int {
        while true {
            let count = unsafe write(descriptor, bytes.baseAddress, bytes.count)
            if count >= 0 { return count }
            if errno != EINTR { throw SystemError("write", .current) }
        }
    }

    /// Writes all of it, waiting for a slow reader at most `limit` each time; how many bytes went
    /// out before an error or the limit.
    public static func all(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, waitingAtMost limit: Duration
    ) -> (written: Int, error: SystemError?) {
        var written = 0
        while written < bytes.count {
            do throws(SystemError) {
                written += unsafe try some(
                    UnsafeRawBufferPointer(rebasing: bytes[written...]), to: descriptor)
            } catch {
                guard error.errno.rawValue == EAGAIN else { return (written, error) }
                var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                let milliseconds = Int32(clamping: limit.wholeNanoseconds / 1_000_000)
                if unsafe poll(&poller, 1, milliseconds) <= 0 { return (written, error) }
            }
        }
        return (written, nil)
    }
}
