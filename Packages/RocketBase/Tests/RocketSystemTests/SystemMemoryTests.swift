import RocketSystem
import Testing

@Suite struct SystemMemoryTests {
    private func available(_ files: [String: String]) -> Int? {
        SystemMemory { files[$0] }.availableBytes
    }

    private let meminfo = "MemTotal:  8000 kB\nMemFree: 100 kB\nMemAvailable:    4000 kB\n"

    @Test("Is the memory that the machine has available without a limit of a group")
    func machine() {
        #expect(available([:]) == nil)
        #expect(available(["/proc/meminfo": meminfo]) == 4000 * 1024)
        #expect(
            available([
                "/proc/meminfo": meminfo, "/proc/self/cgroup": "0::/\n",
                "/sys/fs/cgroup/memory.max": "max\n",
            ]) == 4000 * 1024)
    }

    @Test("Is the smallest limit of the groups of v2 from the process's own to the root")
    func version2() {
        let files = [
            "/proc/meminfo": meminfo, "/proc/self/cgroup": "0::/system.slice/order.service\n",
            "/sys/fs/cgroup/system.slice/order.service/memory.max": "3000000\n",
        ]
        #expect(available(files) == 3_000_000)
        let tighter = files.merging(["/sys/fs/cgroup/system.slice/memory.max": "2000000\n"]) { $1 }
        #expect(available(tighter) == 2_000_000)
    }

    @Test("Is the limit of a group of v1, or of the root in a container")
    func version1() {
        let groups = "5:devices:/\n4:cpu,memory:/docker/x\n0::/\n"
        #expect(
            available([
                "/proc/meminfo": meminfo, "/proc/self/cgroup": groups,
                "/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "1500000\n",
            ]) == 1_500_000)
        #expect(
            available([
                "/proc/meminfo": meminfo, "/proc/self/cgroup": groups,
                "/sys/fs/cgroup/memory/memory.limit_in_bytes": "1400000\n",
            ]) == 1_400_000)
        #expect(
            available([
                "/proc/meminfo": meminfo, "/proc/self/cgroup": groups,
                "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            ]) == 4000 * 1024)
    }

    @Test("The number by which v1 means no limit is none, also where nothing else is known")
    func version1Unlimited() {
        let limit = "/sys/fs/cgroup/memory/memory.limit_in_bytes"
        let groups = "4:memory:/\n"
        #expect(available(["/proc/self/cgroup": groups, limit: "9223372036854771712\n"]) == nil)
        #expect(available(["/proc/self/cgroup": groups, limit: "0\n"]) == nil)
    }

    @Test("Is known on this machine")
    func thisMachine() {
        #expect((SystemMemory().availableBytes ?? 0) > 0)
    }
}
