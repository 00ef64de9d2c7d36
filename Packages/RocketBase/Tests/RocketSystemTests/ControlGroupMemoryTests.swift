import RocketSystem
import Testing

/// Where `SystemMemory` finds the limits of control groups. The machine has more than all of them.
@Suite struct ControlGroupMemoryTests {
    private let none = "9223372036854771712\n"
    private let v2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,x\n"
    private let v1 = """
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
        33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 master:2 - cgroup cgroup rw,memory

        """

    /// The limit and its file, as `3000000 /sys/…`; `none` where only the machine limits.
    private func found(
        _ group: String, _ mounts: String?, _ files: [String: String]
    ) -> String {
        var files = files
        files["/proc/self/cgroup"] = group
        files["/proc/self/mountinfo"] = mounts
        let all = files
        guard let limit = SystemMemory(physicalBytes: 1 << 62, read: { all[$0] }).limit,
            limit.source != .physicalMemory
        else { return "none" }
        return "\(limit.bytes) \(limit.source)"
    }

    @Test("v2: the least of memory.max and memory.high, of the group and of all above it")
    func nested() {
        let slice = "/sys/fs/cgroup/system.slice"
        let unit = "\(slice)/order_server.service"
        var files = ["\(unit)/memory.max": "max\n", "\(unit)/memory.high": "max\n"]
        func limit() -> String { found("0::/system.slice/order_server.service\n", v2, files) }
        #expect(limit() == "none")
        files["\(unit)/memory.max"] = "1073741824\n"
        #expect(limit() == "1073741824 \(unit)/memory.max")
        files["\(unit)/memory.high"] = "939524096\n"
        #expect(limit() == "939524096 \(unit)/memory.high")
        files["\(slice)/memory.max"] = "500000000\n"
        #expect(limit() == "500000000 \(slice)/memory.max")
        files["/sys/fs/cgroup/memory.high"] = "400000000\n"
        #expect(limit() == "400000000 /sys/fs/cgroup/memory.high")
        files["/sys/fs/cgroup/system.slice/other.service/memory.max"] = "1000\n"
        #expect(limit() == "400000000 /sys/fs/cgroup/memory.high")
    }

    @Test("v1: the least of the group and of all above it, and none for the number of no limit")
    func version1() {
        let group = "9:cpu:/x\n4:memory:/docker/x\n0::/\n"
        let memory = "/sys/fs/cgroup/memory"
        var files = ["\(memory)/memory.limit_in_bytes": none]
        files["\(memory)/docker/x/memory.limit_in_bytes"] = none
        #expect(found(group, v1, files) == "none")
        files["\(memory)/docker/x/memory.limit_in_bytes"] = "1500000\n"
        #expect(found(group, v1, files) == "1500000 \(memory)/docker/x/memory.limit_in_bytes")
        files["\(memory)/docker/memory.limit_in_bytes"] = "1400000\n"
        #expect(found(group, v1, files) == "1400000 \(memory)/docker/memory.limit_in_bytes")
    }

    @Test("v1: the limits of groups above that are not visible are in memory.stat")
    func version1Hierarchical() {
        let stat = "cache 0\nrss 12288\nhierarchical_memory_limit 700000\ntotal_rss 12288\n"
        let files = [
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": none,
            "/sys/fs/cgroup/memory/memory.stat": stat,
        ]
        #expect(found("4:memory:/\n", v1, files) == "700000 /sys/fs/cgroup/memory/memory.stat")
    }

    @Test("Hybrid: the controller may be in v1 or in the unified hierarchy")
    func hybrid() {
        let mounts = v1 + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
        let group = "4:cpu,memory:/a\n1:name=systemd:/b\n0::/c\n"
        let old = "/sys/fs/cgroup/memory/a/memory.limit_in_bytes"
        let new = "/sys/fs/cgroup/unified/c/memory.max"
        #expect(found(group, mounts, [:]) == "none")
        #expect(found(group, mounts, [old: "5000\n"]) == "5000 \(old)")
        #expect(found(group, mounts, [new: "6000\n"]) == "6000 \(new)")
        #expect(found(group, mounts, [old: "7000\n", new: "6000\n"]) == "6000 \(new)")
    }

    @Test("The hierarchy may be mounted anywhere, also below a path with a space")
    func elsewhere() {
        let mounts = #"30 23 0:26 / /mnt/my\040groups\134x rw - cgroup2 none rw"#
        let path = #"/mnt/my groups\x/a/memory.max"#
        #expect(found("0::/a\n", mounts, [path: "5000\n"]) == "5000 \(path)")
        #expect(found("0::/a\n", mounts, ["/sys/fs/cgroup/a/memory.max": "5000\n"]) == "none")
    }

    @Test("In a container, the mounted group may be the process's own, or one above it")
    func mountedGroup() {
        let mounts = "30 23 0:26 /docker/x /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
        let root = "/sys/fs/cgroup/memory.max"
        let below = "/sys/fs/cgroup/worker/memory.max"
        #expect(found("0::/docker/x\n", mounts, [root: "5000\n"]) == "5000 \(root)")
        let both = [root: "5000\n", below: "4000\n"]
        #expect(found("0::/docker/x/worker\n", mounts, both) == "4000 \(below)")
        // Another group, whose name only begins with the same letters.
        #expect(found("0::/docker/x2/worker\n", mounts, both) == "5000 \(root)")
    }

    @Test("In a namespace of control groups, the root is the limit that is visible")
    func namespaced() {
        let root = "/sys/fs/cgroup/memory.max"
        #expect(found("0::/\n", v2, [root: "5000\n"]) == "5000 \(root)")
        // Mounted outside of the namespace: the names between the two are hidden.
        let outer = "30 23 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
        #expect(found("0::/a\n", outer, [root: "5000\n"]) == "5000 \(root)")
        // The process is outside of the root of its namespace.
        let files = [root: "5000\n", "/sys/fs/cgroup/../a/memory.max": "4000\n"]
        #expect(found("0::/../a\n", v2, files) == "5000 \(root)")
    }

    @Test("Without mountinfo the usual folders are read")
    func missingMountinfo() {
        let files = ["/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "5000\n"]
        #expect(found("4:memory:/a\n", nil, files).hasPrefix("5000 "))
        #expect(found("0::/a\n", nil, ["/sys/fs/cgroup/a/memory.max": "6000\n"]).hasPrefix("6000 "))
        #expect(
            found("0::/a\n", nil, ["/sys/fs/cgroup/unified/a/memory.max": "6000\n"])
                .hasPrefix("6000 "))
    }

    @Test(
        "Malformed files set no limit, and end nothing",
        arguments: ["", "\n", "max", "x", "-1\n", "0\n", "99999999999999999999999\n", "5 6\n"])
    func malformed(_ text: String) {
        #expect(found("0::/a\n", v2, ["/sys/fs/cgroup/a/memory.max": text]) == "none")
        #expect(found(text, v2, ["/sys/fs/cgroup/memory.max": "5000\n"]) == "none")
        #expect(found("0::/a\n", text, ["/sys/fs/cgroup/a/memory.max": "5000\n"]) == "none")
        let fields = "30 23 0:26 / /sys/fs/cgroup rw -\n"
        #expect(found("0::/a\n", fields, ["/sys/fs/cgroup/a/memory.max": "5000\n"]) == "none")
    }
}
