import Foundation

/// A control group of its own with a memory limit that the kernel enforces, v1 or v2; removed with
/// the last reference, when no process is in it any more.
public final class MemoryGroup: Sendable {
    /// Its folder.
    public let path: String
    private let isV1: Bool

    /// Makes a group in that of this process, or in the root where the former can't have any.
    ///
    /// - Throws: `NoMemoryGroup` where neither can be made.
    public init(limitBytes: Int) throws {
        var reasons: [String] = []
        for parent in Self.parents {
            let path = "\(parent.path)/rocket-e2e-\(UUID().uuidString)"
            let file = parent.isV1 ? "memory.limit_in_bytes" : "memory.max"
            if mkdir(path, 0o755) != 0 {
                reasons.append("mkdir in \(parent.path): \(String(cString: strerror(errno)))")
                continue
            }
            do {
                try "\(limitBytes)".write(
                    toFile: "\(path)/\(file)", atomically: false, encoding: .utf8)
            } catch {
                rmdir(path)
                reasons.append("\(path)/\(file) can't be written")
                continue
            }
            self.path = path
            isV1 = parent.isV1
            return
        }
        if reasons.isEmpty { reasons = ["no hierarchy with control groups is mounted"] }
        throw NoMemoryGroup(reason: reasons.joined(separator: "; "))
    }

    deinit { rmdir(path) }

    /// Why this machine has none for this user; nil: it has.
    public static let missingReason: String? = {
        do {
            _ = try MemoryGroup(limitBytes: 1 << 30)
            return nil
        } catch {
            return "\(error)"
        }
    }()

    /// Arguments before those of a program that is to be started in the group.
    public var launcher: [String] {
        ["/bin/sh", "-c", #"echo $$ >"$0"/cgroup.procs && exec "$@""#, path]
    }

    /// Processes that the kernel has killed for the limit.
    public var killedProcesses: Int {
        let text = read("\(path)/\(isV1 ? "memory.oom_control" : "memory.events")")
        for line in text.split(separator: "\n") where line.hasPrefix("oom_kill ") {
            return Int(line.dropFirst("oom_kill ".count)) ?? -1
        }
        return -1
    }

    /// Folders in which groups may be made: that of this process, then the root.
    private static var parents: [(path: String, isV1: Bool)] {
        let mounts = read("/proc/self/mountinfo").split(separator: "\n").map {
            $0.split(separator: " ")
        }
        var parents: [(path: String, isV1: Bool)] = []
        for group in read("/proc/self/cgroup").split(separator: "\n") {
            let parts = group.split(separator: ":", omittingEmptySubsequences: false)
            let isV1 = parts[1] == "memory"
            guard isV1 || parts[1].isEmpty, parts.count == 3 else { continue }
            for mount in mounts where mount.count > 8 {
                let isIts =
                    isV1
                    ? mount.contains("cgroup") && mount[mount.count - 1].hasSuffix(",memory")
                    : mount.contains("-") && mount.contains("cgroup2")
                if !isIts { continue }
                let root = String(mount[4])
                if parts[2] != "/" { parents.append((root + parts[2], isV1)) }
                parents.append((root, isV1))
            }
        }
        return parents
    }
}

/// This machine lets this user make no control group with a memory limit.
public struct NoMemoryGroup: Error, CustomStringConvertible {
    let reason: String

    /// One line.
    public var description: String { "no control group with a memory limit: \(reason)" }
}

private func read(_ path: String) -> String {
    (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
}
