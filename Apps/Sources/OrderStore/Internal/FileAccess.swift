import FoundationEssentials
import OrderStoring
import RocketSystem

/// Explains why files of a store can't be used: SQLite reports only that it could not open them.
/// Opens no file: closing one would release SQLite's locks on it. Any thread.
enum FileAccess {
    /// Checks that this process may read the file; with `writing` also that it may write to it, to
    /// its log and to its folder.
    ///
    /// - Throws: `OrderStoreError.missing`, `.notPermitted`, `.damaged` (a folder) or `.cannotOpen`.
    static func check(_ path: String, writing: Bool = false) throws(OrderStoreError) {
        let use: FilePermission = writing ? [.read, .write] : .read
        try check(path, use)
        if FileSystem.isFolder(path) { throw .damaged(path: path, reason: "it is a folder") }
        for suffix in ["-wal", "-shm"] where FileSystem.exists(path + suffix) {
            try check(path + suffix, use)
        }
        if writing { try checkFolder(of: path) }
    }

    /// Checks that this process may make files beside `path`.
    ///
    /// - Throws: as `check`.
    static func checkFolder(of path: String) throws(OrderStoreError) {
        try check(FileSystem.folder(of: path), [.write, .search])
    }

    /// The path without symbolic links: the other files of a store are beside the target.
    static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }

    private static func check(
        _ path: String, _ use: FilePermission
    ) throws(OrderStoreError) {
        do { try FileSystem.check(path, use) } catch { throw Self.error(path, error.errno) }
    }

    /// The error for a file on which a system call failed.
    static func error(_ path: String, _ errno: Errno) -> OrderStoreError {
        if errno.isMissing || errno.isNotFolder {
            .missing(path: path, reason: errno.description)
        } else if errno.isNotPermitted {
            .notPermitted(
                path: path, reason: "\(errno): \(obstacle(path, uid: UserAccount.effectiveUID))")
        } else {
            .cannotOpen(path: path, reason: errno.description)
        }
    }

    /// Returns which file or folder keeps a process of the user `uid` from using a path, whose it
    /// is, and what to do.
    static func obstacle(_ path: String, uid: UInt32, links: Int = 8) -> String {
        let components = URL(fileURLWithPath: path).pathComponents
        var current = "/"
        for (index, component) in components.enumerated().dropFirst() {
            guard (try? FileSystem.check(current, .search)) != nil else { break }
            let base = URL(fileURLWithPath: current)
            current = base.appendingPathComponent(component).path
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: current)
            guard let target, links > 0 else { continue }
            let rest = ([target] + components[(index + 1)...]).joined(separator: "/")
            let resolved = target.hasPrefix("/") ? rest : base.path + "/" + rest
            return obstacle(resolved, uid: uid, links: links - 1)
        }
        guard let status = try? FileSystem.status(of: current) else {
            return "\(current) can't be examined"
        }
        let whose =
            "\(current) belongs to \(UserAccount.description(of: status.uid)), mode "
            + "0\(String(status.mode, radix: 8)), and this process runs as "
            + UserAccount.description(of: uid)
        return whose + "; " + remedy(current, status)
    }

    private static func remedy(_ path: String, _ status: FileStatus) -> String {
        let folder = FileSystem.folder(of: path)
        if !status.isFolder, let above = try? FileSystem.status(of: folder),
            above.uid != status.uid
        {
            return "its folder belongs to \(UserAccount.description(of: above.uid)): "
                + "chown --reference=\(folder) \(path)"
        }
        return "run the program as root, or as that user"
    }
}
