import Foundation
import RocketSystem

/// Explains why files of a store can't be used: SQLite reports only that it could not open them.
/// Opens no file: closing one would release SQLite's locks on it. Any thread.
enum FileAccess {
    /// Checks that this process may read the file; with `writing` also that it may write to it, to
    /// its log and to its folder.
    ///
    /// - Throws: `OrderStoreError.missing`, `.notPermitted` or `.cannotOpen`.
    static func check(_ path: String, writing: Bool = false) throws(OrderStoreError) {
        try check(path, mode: writing ? R_OK | W_OK : R_OK)
        for suffix in ["-wal", "-shm"] where FileSystem.exists(path + suffix) {
            try check(path + suffix, mode: writing ? R_OK | W_OK : R_OK)
        }
        if writing { try check(folder(of: path), mode: W_OK | X_OK) }
    }

    /// The folder of a file.
    static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    private static func check(_ path: String, mode: Int32) throws(OrderStoreError) {
        if access(path, mode) == 0 { return }
        throw error(path, .current)
    }

    /// The error for a file on which a system call failed.
    static func error(_ path: String, _ errno: Errno) -> OrderStoreError {
        switch errno.rawValue {
        case ENOENT, ENOTDIR: .missing(path: path, reason: errno.description)
        case EACCES, EPERM:
            .notPermitted(path: path, reason: "\(errno): \(obstacle(path, uid: geteuid()))")
        default: .cannotOpen(path: path, reason: errno.description)
        }
    }

    /// Returns which file or folder keeps a process of the user `uid` from using a path, whose it
    /// is, and what to do.
    static func obstacle(_ path: String, uid: uid_t, links: Int = 8) -> String {
        let components = URL(fileURLWithPath: path).pathComponents
        var current = "/"
        for (index, component) in components.enumerated().dropFirst() {
            guard access(current, X_OK) == 0 else { break }
            let base = URL(fileURLWithPath: current)
            current = base.appendingPathComponent(component).path
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: current)
            guard let target, links > 0 else { continue }
            let rest = ([target] + components[(index + 1)...]).joined(separator: "/")
            let resolved = target.hasPrefix("/") ? rest : base.path + "/" + rest
            return obstacle(resolved, uid: uid, links: links - 1)
        }
        var status = stat()
        guard stat(current, &status) == 0 else { return "\(current) can't be examined" }
        let mode = String(status.st_mode & 0o7777, radix: 8)
        let whose =
            "\(current) belongs to \(user(status.st_uid)), mode 0\(mode), and this process "
            + "runs as \(user(uid))"
        return whose + "; " + remedy(current, status)
    }

    private static func remedy(_ path: String, _ status: stat) -> String {
        let folder = folder(of: path)
        var above = stat()
        if status.st_mode & S_IFMT != S_IFDIR, stat(folder, &above) == 0,
            above.st_uid != status.st_uid
        {
            return
                "its folder belongs to \(user(above.st_uid)): chown --reference=\(folder) \(path)"
        }
        return "run the program as root, or as that user"
    }

    /// `root (uid 0)`, or `uid 61234` if the user has no name.
    static func user(_ uid: uid_t) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 * 1024)
        // SAFETY: fills `entry`, whose pointers lead into the buffer, which outlives their use here.
        guard getpwuid_r(uid, &entry, &buffer, buffer.count, &found) == 0, found != nil,
            let name = entry.pw_name
        else { return "uid \(uid)" }
        return "\(String(cString: name)) (uid \(uid))"
    }
}
