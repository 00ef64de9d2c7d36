import Foundation
import RocketSystem

/// The free space of the file system of a folder. Blocks on the disk.
enum FreeSpace {
    /// Checks that a file of so many bytes can be made in the folder of `path`.
    ///
    /// - Throws: `OrderStoreError.cannotCreate` with both numbers.
    static func require(_ bytes: Int64, for path: String) throws(OrderStoreError) {
        let folder = FileAccess.folder(of: path)
        guard let free = bytesFree(in: folder), free < bytes else { return }
        throw .cannotCreate(
            path: path,
            reason: "it needs \(OrderStoreProgress.text(bytes: bytes)), and \(folder) has "
                + "\(OrderStoreProgress.text(bytes: free)) free")
    }

    /// Returns whether so many bytes more can be written beside `path`: allocates them in a file
    /// without a name, so that quotas count, too. True also where that is unknown.
    static func hasRoom(for bytes: Int, beside path: String) -> Bool {
        let name = path + ".space"
        let raw = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard raw >= 0 else { return !isFull(Errno.current.rawValue) }
        let file = FileDescriptor(owning: raw)
        unlink(name)
        return !isFull(posix_fallocate(file.raw, 0, bytes))
    }

    private static func isFull(_ code: Int32) -> Bool { code == ENOSPC || code == EDQUOT }

    private static func bytesFree(in folder: String) -> Int64? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        return Int64(clamping: status.f_bavail) * Int64(clamping: status.f_frsize)
    }
}
