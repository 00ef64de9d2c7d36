import Glibc

/// Operations on files and folders by path, for log files. Each of them may block on the disk.
public enum FileSystem {
    /// Opens a file for appending; creates it when it is missing. Neither this call nor a write
    /// blocks on a FIFO or a device (O_NONBLOCK).
    ///
    /// - Parameter mode: the mode of a new file, whatever the umask.
    /// - Throws: `SystemError` with the path (ENXIO: a FIFO that no process reads).
    public static func openForAppending(
        _ path: String, mode: UInt32 = 0o600
    ) throws(SystemError) -> FileDescriptor {
        // An existing file keeps its mode, so only the process that creates it sets one.
        let flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        // SAFETY: Swift passes a NUL-terminated copy of the path.
        var raw = unsafe open(path, flags)
        var error = Errno.current
        if raw < 0, error.isMissing {
            raw = unsafe open(path, flags | O_CREAT | O_EXCL, mode)
            error = .current
            if raw >= 0 {
                fchmod(raw, mode)
            } else if error.isExisting {
                // Created meanwhile by another process, or a link that leads nowhere.
                raw = unsafe open(path, flags | O_CREAT, mode)
                error = .current
            }
        }
        if raw >= 0 { return FileDescriptor(owning: raw) }
        let hint = error.rawValue == ENXIO ? ", a FIFO that no process reads" : ""
        throw SystemError("open \(path)\(hint)", error)
    }

    /// Creates the folder and all missing folders above it. No effect when it exists.
    ///
    /// - Parameter mode: the mode of new folders, whatever the umask.
    /// - Throws: `SystemError` of the first folder that can't be created (ENOTDIR: a file is above
    ///   it; EEXIST: a file, or a link that leads nowhere, has the name of the last folder).
    public static func makeFolder(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
        var end = path.startIndex
        while end != path.endIndex {
            end = path[end...].dropFirst().firstIndex(of: "/") ?? path.endIndex
            let part = String(path[..<end])
            // SAFETY: as above.
            if unsafe mkdir(part, mode) == 0 {
                _ = unsafe chmod(part, mode)
                continue
            }
            let error = Errno.current
            if error.isExisting, end != path.endIndex { continue }
            // Some file systems report EROFS, EACCES or EPERM also for a folder that exists.
            if !isFolder(part) { throw SystemError("mkdir \(part)", error) }
        }
    }

    /// Returns whether the path is a folder.
    public static func isFolder(_ path: String) -> Bool {
        var status = stat()
        // SAFETY: stat fills one struct.
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Returns the names in a folder without `.` and `..`, in no particular order.
    public static func names(in folder: String) throws(SystemError) -> [String] {
        guard let handle = unsafe opendir(folder) else {
            throw SystemError("opendir \(folder)", .current)
        }
        defer { unsafe _ = closedir(handle) }
        var names: [String] = []
        while true {
            // The end is no error, and leaves errno as it is.
            errno = 0
            // SAFETY: an entry is valid until the next readdir of this handle.
            guard let entry = unsafe readdir(handle) else { break }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        let error = Errno.current
        if error.rawValue != 0 { throw SystemError("readdir \(folder)", error) }
        return names
    }

    /// Returns whether the path exists, as a file of any kind.
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        // SAFETY: stat fills one struct.
        return unsafe stat(path, &status) == 0
    }

    /// Returns whether the path exists, or can't be looked at: false only where there is certainly
    /// no file (ENOENT, ENOTDIR).
    public static func mayExist(_ path: String) -> Bool {
        var status = stat()
        // SAFETY: stat fills one struct.
        if unsafe stat(path, &status) == 0 { return true }
        let error = Errno.current
        return !error.isMissing && !error.isNotFolder
    }

    /// Returns the size of a regular file in bytes; nil when there is none at the path.
    public static func size(of path: String) -> Int? {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        return Int(status.st_size)
    }

    /// Returns the last byte of a file; nil when it is empty.
    public static func lastByte(of path: String) throws(SystemError) -> UInt8? {
        let raw = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard raw >= 0 else { throw SystemError("open \(path)", .current) }
        let file = FileDescriptor(owning: raw)
        let size = try file.fileSize()
        if size == 0 { return nil }
        var byte: UInt8 = 0
        let count = unsafe pread(file.raw, &byte, 1, size - 1)
        let error = Errno.current
        if count < 0 { throw SystemError("read \(path)", error) }
        return count == 1 ? byte : nil
    }

    /// Removes a file. No effect when it is missing.
    public static func remove(_ path: String) throws(SystemError) {
        if unsafe unlink(path) == 0 { return }
        let error = Errno.current
        if !error.isMissing { throw SystemError("unlink \(path)", error) }
    }

    /// Renames a file and replaces an existing file of the new name.
    public static func rename(_ path: String, to other: String) throws(SystemError) {
        if unsafe Glibc.rename(path, other) != 0 { throw SystemError("rename \(path)", .current) }
    }
}
