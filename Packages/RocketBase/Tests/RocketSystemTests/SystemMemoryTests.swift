import Testing

@testable import RocketSystem

@Suite struct SystemMemoryTests {
    private let meminfo = "MemTotal:  8000 kB\nMemFree: 100 kB\nMemAvailable:    4000 kB\n"

    @Test("Is the memory that the machine has available where no group has a limit")
    func machine() {
        let memory = SystemMemory { ["/proc/meminfo": meminfo][$0] }
        #expect(memory.limit == MemoryLimit(bytes: 4000 * 1024, source: .file("/proc/meminfo")))
        #expect(SystemMemory { _ in nil }.limit == nil)
    }

    @Test("Is the memory of the machine where /proc/meminfo is hidden, as by ProcSubset=pid")
    func hiddenMeminfo() {
        let memory = SystemMemory(physicalBytes: 24 << 30) { _ in nil }
        #expect(memory.limit == MemoryLimit(bytes: 24 << 30, source: .physicalMemory))
        for malformed in ["MemAvailable:\n", "MemAvailable: x kB\n", "MemAvailable: -5 kB\n", ""] {
            let memory = SystemMemory(physicalBytes: 1 << 30) { _ in malformed }
            #expect(memory.limit?.source == .physicalMemory, "\(malformed)")
        }
    }

    @Test("Is the limit of a group, with its file, where that is less than the machine has")
    func group() {
        let files = [
            "/proc/meminfo": meminfo, "/proc/self/cgroup": "0::/a\n",
            "/sys/fs/cgroup/a/memory.high": "3000000\n",
        ]
        #expect(
            SystemMemory { files[$0] }.limit
                == MemoryLimit(bytes: 3_000_000, source: .file("/sys/fs/cgroup/a/memory.high")))
        let larger = files.merging(["/sys/fs/cgroup/a/memory.high": "9000000\n"]) { $1 }
        #expect(SystemMemory { larger[$0] }.limit?.source == .file("/proc/meminfo"))
    }

    @Test("malloc keeps a 32nd of the limit for each arena, from 1 MiB to 64 MiB")
    func kept() {
        func kept(_ bytes: Int) -> Int {
            ProcessUsage.keptBytes(within: MemoryLimit(bytes: bytes, source: .physicalMemory))
        }
        #expect(kept(896 << 20) == 28 << 20)
        #expect(kept(0) == 1 << 20 && kept(32 << 20) == 1 << 20)
        #expect(kept(2 << 30) == 64 << 20 && kept(.max) == 64 << 20)
        #expect(ProcessUsage.keptBytes(within: nil) == 64 << 20)
    }

    @Test("Is known on this machine")
    func thisMachine() {
        #expect((SystemMemory().limit?.bytes ?? 0) > 0)
    }
}
