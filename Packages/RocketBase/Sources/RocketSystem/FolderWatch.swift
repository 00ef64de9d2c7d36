import Glibc

/// Reports that something changes in folders: files that are written, renamed, linked, removed, or
/// get another mode (inotify(7)). A file that a link leads to is watched by the link's folder only, as
/// those of Kubernetes and certbot are replaced. Any thread may call; one waits.
public final class FolderWatch: Sendable {
    /// What a wait has ended by.
    public enum Event: Hashable, Sendable {
        /// Something has changed since the wait before.
        case changed
        /// The limit has passed.
        case timeout
        /// `end` was called.
        case ended
    }

    private let inotify: FileDescriptor
    private let bell: EventDescriptor
    /// The kernel's number of each folder.
    private let watched = Locked<[String: Int32]>([:])

    /// Watches nothing.
    ///
    /// - Throws: `SystemError` (EMFILE: the user's limit on instances, or that on descriptors).
    public init() throws(SystemError) {
        let raw = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard raw >= 0 else { throw SystemError("inotify_init1", .current) }
        inotify = FileDescriptor(owning: raw)
        bell = try EventDescriptor()
    }

    /// Watches these folders in place of those before. Call it again after each event: a folder that
    /// was replaced by another one of its name is lost otherwise.
    ///
    /// - Returns: the folders that can't be watched, with the reasons (ENOENT, EACCES; ENOSPC: the
    ///   user's limit on watches).
    public func watch(_ folders: [String]) -> [(folder: String, error: SystemError)] {
        watched.withLock { watched in
            var failures: [(folder: String, error: SystemError)] = []
            var new: [String: Int32] = [:]
            for folder in folders where new[folder] == nil {
                // SAFETY: Swift passes a NUL-terminated copy of the path.
                let number = unsafe inotify_add_watch(inotify.raw, folder, Self.changes)
                if number >= 0 {
                    new[folder] = number
                } else {
                    failures.append((folder, SystemError("inotify_add_watch \(folder)", .current)))
                }
            }
            for (folder, number) in watched where new[folder] == nil {
                // Two paths of one folder have one number.
                if !new.values.contains(number) { inotify_rm_watch(inotify.raw, number) }
            }
            watched = new
            return failures
        }
    }

    /// Blocks the thread until something changes. What happened in between is reported once.
    public func wait(atMost limit: Duration) throws(SystemError) -> Event {
        let readable = Int16(POLLIN)
        var requests = (
            pollfd(fd: bell.descriptor.raw, events: readable, revents: 0),
            pollfd(fd: inotify.raw, events: readable, revents: 0)
        )
        let milliseconds = Int32(
            clamping: (max(.zero, limit).wholeNanoseconds + 999_999) / 1_000_000)
        // SAFETY: a tuple of two pollfd has the layout of an array of two.
        let count = unsafe withUnsafeMutablePointer(to: &requests) {
            unsafe $0.withMemoryRebound(to: pollfd.self, capacity: 2) {
                unsafe poll($0, 2, milliseconds)
            }
        }
        if count < 0 {
            let error = Errno.current
            if error.isInterrupted { return .timeout }
            throw SystemError("poll", error)
        }
        if requests.0.revents != 0 { return .ended }
        if requests.1.revents == 0 { return .timeout }
        try discardEvents()
        return .changed
    }

    /// Ends the wait, and all later ones.
    public func end() { bell.signal() }

    private func discardEvents() throws(SystemError) {
        // Room for the largest event at least: 16 bytes and a name of 255.
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            // SAFETY: the kernel writes at most the size of the chunk.
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe read(inotify.raw, $0.baseAddress, $0.count)
            }
            if count > 0 { continue }
            let error = Errno.current
            if count == 0 || error.isWouldBlock { return }
            if !error.isInterrupted { throw SystemError("read inotify", error) }
        }
    }

    private static let changes =
        UInt32(IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)
        | UInt32(IN_DELETE_SELF | IN_MOVE_SELF) | UInt32(IN_ONLYDIR)
}

/// What tells one state of a file from another one (stat(2)). A value.
public struct FileVersion: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int
    /// Of its contents, its owner or its mode.
    private let changed: WallTime

    /// Returns the version of the file that the path leads to; nil when it can't be found.
    public init?(of path: String) {
        var status = stat()
        // SAFETY: stat fills one struct.
        guard unsafe stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        changed = WallTime(
            nanoseconds: Int64(status.st_ctim.tv_sec) * 1_000_000_000
                + Int64(status.st_ctim.tv_nsec))
    }
}
