/// The memory limits of the control groups of a process, v1 and v2: of its own group and of all
/// groups above it that are visible, each of which counts. A value: it is passed the texts of files.
struct ControlGroupMemory {
    /// Returns the text of a file; nil: it can't be read.
    let read: (String) -> String?

    /// All limits that are set. Files that are missing or malformed set none. In a container or a
    /// control group namespace, limits above its root are not visible, except to v1.
    var limits: [MemoryLimit] {
        let groups = Group.all(in: read("/proc/self/cgroup") ?? "")
        let mounts = Mount.all(in: read("/proc/self/mountinfo"))
        var paths: [String] = []
        for group in groups {
            for mount in mounts where mount.version == group.version {
                for folder in mount.folders(of: group.path) {
                    for name in group.version.files where !paths.contains("\(folder)/\(name)") {
                        paths.append("\(folder)/\(name)")
                    }
                }
            }
        }
        return paths.compactMap { path in
            guard let bytes = read(path).flatMap(Self.bytes(in:)) else { return nil }
            return MemoryLimit(bytes: bytes, source: .file(path))
        }
    }

    /// Returns the number in the text of one of the files; nil for `max`, for the number by which v1
    /// means no limit, and for anything else.
    private static func bytes(in text: String) -> Int? {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            let number: Int?
            if words.count == 2, words[0] == "hierarchical_memory_limit" {
                number = Int(words[1])
            } else if words.count == 1 {
                number = Int(words[0])
            } else {
                continue
            }
            guard let number, number > 0, number < 1 << 60 else { return nil }
            return number
        }
        return nil
    }
}

private enum Version {
    case v1, v2

    /// The files of a group that set a limit. Those of v1 include, in `memory.stat`, the limits of
    /// all groups above, also of those that are not visible.
    var files: [String] {
        switch self {
        case .v1: ["memory.limit_in_bytes", "memory.stat"]
        case .v2: ["memory.max", "memory.high"]
        }
    }
}

/// A line of /proc/self/cgroup: `0::/path` for v2, `4:cpu,memory:/path` for v1's memory controller.
private struct Group {
    let version: Version
    let path: Substring

    static func all(in text: String) -> [Group] {
        text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            if parts[0] == "0", parts[1].isEmpty { return Group(version: .v2, path: parts[2]) }
            if !parts[1].split(separator: ",").contains("memory") { return nil }
            return Group(version: .v1, path: parts[2])
        }
    }
}

/// A mounted hierarchy of control groups, as in a line of /proc/self/mountinfo:
/// `35 31 0:32 /root /point rw,relatime shared:7 - cgroup cgroup rw,memory`.
private struct Mount {
    let version: Version
    /// The path of the group that is mounted, in the terms of /proc/self/cgroup.
    let root: String
    /// The folder at which it is mounted.
    let point: String

    /// - Parameter text: of the file; nil: it can't be read, so the usual folders are assumed.
    static func all(in text: String?) -> [Mount] {
        guard let text else {
            return [
                Mount(version: .v2, root: "/", point: "/sys/fs/cgroup"),
                Mount(version: .v2, root: "/", point: "/sys/fs/cgroup/unified"),
                Mount(version: .v1, root: "/", point: "/sys/fs/cgroup/memory"),
            ]
        }
        return text.split(separator: "\n").compactMap { Mount($0.split(separator: " ")) }
    }

    init(version: Version, root: String, point: String) {
        (self.version, self.root, self.point) = (version, root, point)
    }

    init?(_ words: [Substring]) {
        guard words.count > 7, let end = words[6...].firstIndex(of: "-"), end + 1 < words.count
        else { return nil }
        switch words[end + 1] {
        case "cgroup2": version = .v2
        case "cgroup" where words[words.count - 1].split(separator: ",").contains("memory"):
            version = .v1
        default: return nil
        }
        root = Self.unescaped(words[3])
        point = Self.unescaped(words[4])
    }

    /// Returns the folders of the group and of all groups above it, from the mount point on. A group
    /// that is not below the mounted one is not visible here: then only the mount point, since the
    /// mounted one may be above the group in a way that the namespace hides.
    func folders(of path: Substring) -> [String] {
        let root = root == "/" ? "" : root[...]
        var folders = [point]
        guard path == root || path.hasPrefix("\(root)/") else { return folders }
        let names = path.dropFirst(root.count).split(separator: "/")
        if names.contains("..") { return folders }
        for name in names { folders.append("\(folders[folders.count - 1])/\(name)") }
        return folders
    }

    /// Replaces `\040` and the like, by which the kernel writes white space and backslashes.
    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
