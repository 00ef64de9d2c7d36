import RocketBase
import RocketBaseTestKit
import RocketSystem
import Testing

@testable import RocketTCP

@Suite struct BudgetShareTests {
    private let mebi = 1 << 20

    /// Resident memory was 1.12 budgets and 30 MiB where the budget was used up.
    @Test(
        "Held bytes at their ceiling, as many for malloc and the kernel, and the rest fit",
        arguments: [64, 96, 128, 256, 896, 1024, 1 << 14])
    func fits(mebibytes: Int) {
        let memory = mebibytes * mebi
        let budget = BudgetShare.automaticBytes(of: memory)
        let ceiling = budget + budget / 8
        #expect(BudgetShare.fixedBytes + 2 * ceiling <= memory)
        #expect(BudgetShare.fixedBytes + 2 * ceiling >= memory - mebi)
        #expect(budget < BudgetShare.largestBytes(in: memory))
    }

    @Test("Is an eighth of a small memory, and 256 MiB where nothing is known")
    func extremes() {
        #expect(BudgetShare.automaticBytes(of: 40 * mebi) == 5 * mebi)
        #expect(BudgetShare.automaticBytes(of: 8 * mebi) == mebi)
        #expect(ByteBudget.automatic(memory: nil).limitBytes == 256 * mebi)
        #expect(BudgetShare.automaticBytes(of: .max) > 0)
        #expect(BudgetShare.largestBytes(in: 8 * mebi) == 0)
        #expect(
            ByteBudget.automatic(memory: MemoryLimit(bytes: 1, source: .file("x"))).limitBytes
                == mebi)
    }

    @Test("Assumes 1 GiB of the machine at most where it is not known what is available of it")
    func physicalMemory() {
        func budget(_ bytes: Int, _ source: MemoryLimit.Source) -> Int {
            ByteBudget.automatic(memory: MemoryLimit(bytes: bytes, source: source)).limitBytes
        }
        let ofOne = budget(1 << 30, .physicalMemory)
        #expect(ofOne == BudgetShare.automaticBytes(of: 1 << 30) && ofOne < 441 * mebi)
        #expect(budget(24 << 30, .physicalMemory) == ofOne)
        #expect(budget(512 << 20, .physicalMemory) == BudgetShare.automaticBytes(of: 512 << 20))
        #expect(budget(24 << 30, .file("/proc/meminfo")) > 10 << 30)
    }

    private func warnings(_ budget: ByteBudget) throws -> [String] {
        let lines = try LogLines()
        budget.logMisfit(lines.logger)
        return lines.end()
    }

    @Test("Warns of a configured budget whose ceiling does not fit, and of no other")
    func misfit() throws {
        let memory = MemoryLimit(bytes: 1 << 30, source: .file("/sys/fs/cgroup/memory.max"))
        let fits = BudgetShare.largestBytes(in: memory.bytes)
        let warning = "the memory budget is too large for the memory that the process may use"
        #expect(try warnings(ByteBudget(limitBytes: fits, memory: memory)) == [])
        #expect(try warnings(ByteBudget(limitBytes: fits + 1, memory: memory)) == [warning])
        #expect(try warnings(ByteBudget(limitBytes: 1 << 30, memory: memory)) == [warning])
        #expect(try warnings(.automatic(memory: memory)) == [])
        let tiny = MemoryLimit(bytes: 2 << 20, source: .physicalMemory)
        #expect(try warnings(.automatic(memory: tiny)) == [])
    }
}
