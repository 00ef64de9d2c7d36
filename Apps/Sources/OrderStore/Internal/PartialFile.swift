import OrderStoring
import RocketSystem

/// A file that is written under a temporary name, with mode 0600, and gets its own name when it is
/// complete and on disk: at that name there is never a part of it. It is removed if it is given up,
/// also by `removeAll` when a signal ends the process; what a crash leaves is overwritten by the next
/// attempt. One thread, except `removeAll`.
final class PartialFile {
    /// The temporary names of this process that are to be removed if it ends.
    private static let removable = Locked<Set<String>>([])

    /// The final name.
    let path: String
    /// The temporary name, in the same folder.
    let part: String
    /// Keeps other processes from writing to the same file, and is closed after SQLite's
    /// descriptors of it: closing one releases SQLite's locks.
    private let file: FileDescriptor

    /// Creates an empty file under the temporary name.
    ///
    /// - Parameters:
    ///   - part: the temporary name, in the folder of `path`; default `path` + `.part`.
    ///   - replaces: whether a file at the final name may exist, which is replaced.
    ///   - isKept: as after `keep()`, from the beginning.
    /// - Throws: `OrderStoreError.cannotCreate`, or `.inUse` if another process writes it.
    init(
        _ path: String, part: String? = nil, replaces: Bool = false, isKept: Bool = false
    ) throws(OrderStoreError) {
        self.path = path
        let part = part ?? path + ".part"
        self.part = part
        if !replaces, FileSystem.exists(path) {
            throw .cannotCreate(path: path, reason: "it exists; nothing is overwritten")
        }
        do { file = try Self.openAlone(part) } catch {
            throw error.errno.isWouldBlock
                ? .inUse(path: part, reason: "another process writes it")
                : .cannotCreate(path: path, reason: error.errno.description)
        }
        if !isKept { Self.removable.withLock { _ = $0.insert(part) } }
    }

    /// Removes all temporary files of this process, with SQLite's journals of them, except those that
    /// are kept. For a process that ends now. Any thread.
    static func removeAll() {
        removable.withLock { names in
            for name in names.sorted() { remove(name) }
            names = []
        }
    }

    private static func remove(_ part: String) {
        for suffix in ["", "-journal", "-wal", "-shm"] { try? FileSystem.remove(part + suffix) }
    }

    /// Opens the temporary file, empty and locked. Replaces one that is the second name of another
    /// file, or that belongs to another user, who may have it open.
    ///
    /// - Throws: `SystemError` (EAGAIN: another process writes it).
    private static func openAlone(_ part: String) throws(SystemError) -> FileDescriptor {
        let file = try FileSystem.openForWriting(part)
        guard file.lock(.exclusive) else { throw SystemError("flock \(part)", .again) }
        let status = try file.status()
        // Before the lock, another process may have given it its own name.
        let named = try FileSystem.status(of: part)
        guard named?.inode == status.inode, named?.device == status.device else {
            throw SystemError("flock \(part)", .again)
        }
        if status.linkCount == 1, status.uid == UserAccount.effectiveUID {
            try file.truncate(to: 0)
            try file.setMode(0o600)
            return file
        }
        let new = part + ".new"
        try FileSystem.remove(new)
        let replacement = try FileSystem.createNew(new)
        guard replacement.lock(.exclusive) else { throw SystemError("flock \(new)", .again) }
        try FileSystem.rename(new, to: part)
        return replacement
    }

    deinit { if Self.removable.withLock({ $0.remove(part) }) != nil { Self.remove(part) } }

    /// Leaves the temporary file on disk, also if it does not get its name.
    func keep() { Self.removable.withLock { _ = $0.remove(part) } }

    /// Gives the file to the user of another one, and to its group as far as that is permitted: the
    /// mode gives a group nothing.
    func give(toOwnerOf other: FileStatus) throws(OrderStoreError) {
        let own = try? file.status()
        if let own, own.uid == other.uid, own.gid == other.gid { return }
        do { try file.setOwner(uid: other.uid, gid: other.gid) } catch {
            if own?.uid == other.uid, error.errno.isNotPermitted { return }
            throw .notPermitted(
                path: path,
                reason: "chown to \(UserAccount.description(of: other.uid)): \(error.errno); run "
                    + "the program as root")
        }
    }

    /// Waits until the file is on disk.
    func sync() throws(OrderStoreError) {
        do { try file.sync() } catch {
            throw .cannotCreate(path: path, reason: error.description)
        }
    }

    /// Gives the complete file its own name, on disk as well.
    func publish(replaces: Bool = false) throws(OrderStoreError) {
        try sync()
        do throws(SystemError) {
            if replaces {
                try FileSystem.rename(part, to: path)
                keep()
            } else {
                try publishNew()
            }
        } catch {
            throw .cannotCreate(path: path, reason: error.description)
        }
        try Self.syncFolder(of: path)
    }

    /// Gives the file its own name, unless there is such a file.
    private func publishNew() throws(SystemError) {
        do throws(SystemError) {
            try FileSystem.renameNew(part, to: path)
            keep()
            return
        } catch {
            guard error.errno.isRenameUnsupported else { throw error }
        }
        do throws(SystemError) {
            guard try FileSystem.link(part, as: path) else {
                throw SystemError("link \(path)", .exists)
            }
        } catch {
            guard error.errno.isLinkUnsupported, !FileSystem.exists(path) else { throw error }
            try FileSystem.rename(part, to: path)
            keep()
        }
    }

    /// Returns `path`, with a number if a file of that name exists.
    static func unusedName(_ path: String) -> String {
        guard FileSystem.exists(path) else { return path }
        var number = 2
        while FileSystem.exists("\(path)-\(number)") { number += 1 }
        return "\(path)-\(number)"
    }

    /// Waits until the names in the folder of `path` are on disk.
    static func syncFolder(of path: String) throws(OrderStoreError) {
        let folder = FileSystem.folder(of: path)
        let names: FileDescriptor
        do { names = try FileSystem.openFolder(folder) } catch {
            throw FileAccess.error(folder, error.errno)
        }
        do { try names.sync() } catch {
            throw .cannotCreate(path: path, reason: "fsync \(folder): \(error.errno)")
        }
    }
}

extension WallTime {
    /// `20261128T233400Z`, for the names of files.
    var fileStamp: String {
        let seconds = milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0)
        let date = CivilDate(secondsSince1970: seconds).number
        let second = Int((seconds % 86_400 + 86_400) % 86_400)
        let time = second / 3600 * 10_000 + second / 60 % 60 * 100 + second % 60
        return "\(date)T\(String(1_000_000 + time).dropFirst())Z"
    }
}
