import Foundation
import RocketSystem

/// A file that is written under a temporary name, with mode 0600, and gets its own name when it is
/// complete and on disk: at that name there is never a part of it. It is removed if it is given up;
/// what a crash leaves is overwritten by the next attempt. One thread.
final class PartialFile {
    /// The final name.
    let path: String
    /// The temporary name, in the same folder.
    let part: String
    /// Whether the temporary file outlives this object.
    private var isKept = false
    /// Keeps other processes from writing to the same file, and is closed after SQLite's
    /// descriptors of it: closing one releases SQLite's locks.
    private let file: FileDescriptor

    /// Creates an empty file under the temporary name `path` + `suffix`.
    ///
    /// - Parameter replaces: whether a file at the final name may exist, which is replaced.
    /// - Throws: `OrderStoreError.cannotCreate`, or `.inUse` if another process writes it.
    init(_ path: String, suffix: String = ".part", replaces: Bool = false) throws(OrderStoreError) {
        self.path = path
        part = path + suffix
        if !replaces, FileSystem.exists(path) {
            throw .cannotCreate(path: path, reason: "it exists; nothing is overwritten")
        }
        let raw = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard raw >= 0 else {
            throw .cannotCreate(path: path, reason: Errno.current.description)
        }
        file = FileDescriptor(owning: raw)
        if flock(raw, LOCK_EX | LOCK_NB) != 0, Errno.current.isWouldBlock {
            isKept = true
            throw .inUse(path: part, reason: "another process writes it")
        }
        guard ftruncate(raw, 0) == 0, fchmod(raw, 0o600) == 0 else {
            throw .cannotCreate(path: path, reason: Errno.current.description)
        }
    }

    deinit { if !isKept { unlink(part) } }

    /// Leaves the temporary file on disk, also if it does not get its name.
    func keep() { isKept = true }

    /// Gives the file to the owner of its folder, unless it is ours already.
    func giveToFolderOwner() throws(OrderStoreError) {
        var folder = stat()
        guard stat(FileAccess.folder(of: path), &folder) == 0 else {
            throw .cannotCreate(path: path, reason: Errno.current.description)
        }
        try give(uid: folder.st_uid, gid: folder.st_gid)
    }

    /// Gives the file to a user and a group.
    func give(uid: uid_t, gid: gid_t) throws(OrderStoreError) {
        var own = stat()
        if fstat(file.raw, &own) == 0, own.st_uid == uid, own.st_gid == gid { return }
        guard fchown(file.raw, uid, gid) == 0 else {
            throw .notPermitted(
                path: path,
                reason:
                    "chown to \(FileAccess.user(uid)): \(Errno.current); run the program as root")
        }
    }

    /// Waits until the file is on disk.
    func sync() throws(OrderStoreError) {
        guard fsync(file.raw) == 0 else {
            throw .cannotCreate(path: path, reason: "fsync: \(Errno.current)")
        }
    }

    /// Gives the complete file its own name, on disk as well.
    func publish(replaces: Bool = false) throws(OrderStoreError) {
        try sync()
        if replaces {
            guard rename(part, path) == 0 else {
                throw .cannotCreate(path: path, reason: "rename: \(Errno.current)")
            }
            isKept = true
        } else if link(part, path) == 0 {
            unlink(part)
        } else {
            // Some file systems have no links.
            let error = Errno.current
            guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(error.rawValue),
                !FileSystem.exists(path), rename(part, path) == 0
            else { throw .cannotCreate(path: path, reason: "link: \(error)") }
            isKept = true
        }
        try Self.syncFolder(of: path)
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
        let folder = FileAccess.folder(of: path)
        let raw = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard raw >= 0 else { throw FileAccess.error(folder, .current) }
        let descriptor = FileDescriptor(owning: raw)
        guard fsync(descriptor.raw) == 0 else {
            throw .cannotCreate(path: path, reason: "fsync \(folder): \(Errno.current)")
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
