import Glibc

/// Operations on files and folders by path, for log files. Each of them may block on the disk.
public enum FileSystem {
    /// Opens a file for appending; creates it (mode 0644) when it is missing.
    public static func openForAppending(_ path: String) throws(SystemError) -> FileDescriptor {
        // SAFETY: Swift passes a NUL-terminated copy of the path.
        let raw = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard raw >= 0 else { throw SystemError("open \(path)", .current) }
        return FileDescriptor(owning: raw)
    }

    /// Creates the folder and all missing folders above it (mode 0755). No effect when it exists.
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

    /// Returns whether the path exists, as a file of any kind.
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        // SAFETY: stat fills one struct.
        return unsafe stat(path, &status) == 0
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
        let raw = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("open \(path)", .current) }
        let file = FileDescriptor(owning: raw)
        let size = try file.fileSize()
        var byte: UInt8 = 0
        guard size > 0, unsafe pread(file.raw, &byte, 1, size - 1) == 1 else { return nil }
        return byte
    }

    /// Removes a file. No effect when it is missing.
    public static func remove(_ path: String) throws(SystemError) {
        if unsafe unlink(path) != 0, errno != ENOENT {
            throw SystemError("unlink \(path)", .current)
        }
    }

    /// Renames a file and replaces an existing file of the new name.
    public static func rename(_ path: String, to other: String) throws(SystemError) {
        if unsafe Glibc.rename(path, other) != 0 { throw SystemError("rename \(path)", .current) }
    }
}
