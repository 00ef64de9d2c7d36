import OrderStoring
import RocketSystem

/// The free space of the file system of a folder. Blocks on the disk.
enum FreeSpace {
    /// Checks that a file of so many bytes can be made in the folder of `path`.
    ///
    /// - Throws: `OrderStoreError.cannotCreate` with both numbers.
    static func require(_ bytes: Int64, for path: String) throws(OrderStoreError) {
        let folder = FileSystem.folder(of: path)
        guard let free = FileSystem.freeBytes(in: folder), free < bytes else { return }
        throw .cannotCreate(
            path: path,
            reason: "it needs \(OrderStoreProgress.text(bytes: bytes)), and \(folder) has "
                + "\(OrderStoreProgress.text(bytes: free)) free")
    }

    /// Returns whether so many bytes more can be written beside `path`: allocates them in a file
    /// without a name, so that quotas count, too. True also where that is unknown.
    static func hasRoom(for bytes: Int, beside path: String) -> Bool {
        let name = path + ".space"
        do {
            let file = try FileSystem.openForWriting(name)
            try FileSystem.remove(name)
            try file.allocate(bytes)
            return true
        } catch {
            return !error.errno.isDiskFull
        }
    }
}
