import Glibc

/// The memory that this process may use: what the machine has available, and the limits of the
/// control groups (v1 and v2) that the process is in. A value.
public struct SystemMemory: Sendable {
    private let read: @Sendable (String) -> String?

    /// - Parameter read: returns the text of a file; nil: it can't be read. Default: the files of
    ///   the system.
    public init(read: (@Sendable (String) -> String?)? = nil) {
        self.read =
            read ?? { path in
                guard let bytes = try? FileContents.read(path, limit: 1 << 16) else { return nil }
                return String(decoding: bytes, as: UTF8.self)
            }
    }

    /// The smallest of the limits, in bytes; nil when none can be read. Reads some files.
    public var availableBytes: Int? {
        (groupLimits + [machineAvailable].compactMap { $0 }).min()
    }

    /// MemAvailable: free memory, and what the kernel can take back without swapping.
    private var machineAvailable: Int? {
        for line in (read("/proc/meminfo") ?? "").split(separator: "\n")
        where line.hasPrefix("MemAvailable:") {
            let parts = line.split(separator: " ")
            return parts.count > 1 ? Int(parts[1]).map { $0 * 1024 } : nil
        }
        return nil
    }

    /// The limits of the process's groups and of all groups above them.
    private var groupLimits: [Int] {
        var limits: [Int] = []
        for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            // `0::/path` for v2, `4:memory:/path` for v1.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[0] == "0", parts[1].isEmpty {
                limits += Self.folders(of: parts[2]).compactMap { folder in
                    limit("/sys/fs/cgroup\(folder)/memory.max")
                        ?? limit("/sys/fs/cgroup/unified\(folder)/memory.max")
                }
            } else if parts[1].split(separator: ",").contains("memory") {
                limits += Self.folders(of: parts[2]).compactMap { folder in
                    limit("/sys/fs/cgroup/memory\(folder)/memory.limit_in_bytes")
                }
            }
        }
        return limits
    }

    /// Returns the number in the file; nil for `max`, and for v1's number that means no limit.
    private func limit(_ path: String) -> Int? {
        guard let text = read(path)?.split(separator: "\n").first, let bytes = Int(text),
            bytes > 0, bytes < 1 << 60
        else { return nil }
        return bytes
    }

    /// Returns the path and all paths above it, without a trailing `/`: the root is empty. In a
    /// container only the root may exist.
    private static func folders(of path: Substring) -> [String] {
        var folders = [""]
        for name in path.split(separator: "/") {
            folders.append("\(folders[folders.count - 1])/\(name)")
        }
        return folders
    }
}
