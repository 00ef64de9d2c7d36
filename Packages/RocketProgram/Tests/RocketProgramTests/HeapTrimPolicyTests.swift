import RocketBase
import Testing

@testable import RocketProgram

@Suite("When the heap is trimmed")
struct HeapTrimPolicyTests {
    private let mebibyte = 1 << 20

    /// Returns for each excess, in MiB, whether the heap is trimmed.
    private func trims(_ policy: inout HeapTrimPolicy, _ excess: [Int]) -> [Bool] {
        excess.map { policy.mustTrim(excessBytes: $0 * mebibyte) }
    }

    @Test("Trims once the excess has been high for two times in a row")
    func burst() {
        var policy = HeapTrimPolicy(residentBytes: 640 * mebibyte, excessBytes: 30 * mebibyte)
        #expect(trims(&policy, [30, 93, 500, 94]) == [false, false, false, true])
    }

    @Test(
        "A tenth of what was resident at the start is worth a trim, 16 MiB at least, 64 at most",
        arguments: [(0, 16), (28, 16), (200, 20), (2_000, 64)])
    func threshold(_ resident: Int, _ threshold: Int) {
        var policy = HeapTrimPolicy(residentBytes: resident * mebibyte, excessBytes: 0)
        #expect(trims(&policy, [threshold - 1, threshold - 1]) == [false, false])
        #expect(trims(&policy, [threshold, threshold]) == [false, true])
    }

    @Test("Keeps memory that is in use at every other look")
    func steadyLoad() {
        var policy = HeapTrimPolicy(residentBytes: 640 * mebibyte, excessBytes: 30 * mebibyte)
        let excess = (0..<20).map { $0.isMultiple(of: 2) ? 500 : 50 }
        #expect(!trims(&policy, excess).contains(true))
    }

    @Test("Memory that was swapped out does not let the same excess look like a growth")
    func swapped() {
        let excess = HeapTrimmer.excessBytes(resident: 10 * mebibyte, heap: 500 * mebibyte)
        var policy = HeapTrimPolicy(residentBytes: 640 * mebibyte, excessBytes: excess)
        #expect(trims(&policy, [50, 50]) == [false, false])
        #expect(HeapTrimmer.excessBytes(resident: 500, heap: 10) == 490)
    }

    @Test("An excess that has fallen by itself is what a growth is measured from")
    func fallen() {
        var policy = HeapTrimPolicy(residentBytes: 640 * mebibyte, excessBytes: 200 * mebibyte)
        #expect(trims(&policy, [30, 94, 94]) == [false, false, true])
    }

    @Test("What a trim can't give back does not cause another one")
    func fragmentation() {
        var policy = HeapTrimPolicy(residentBytes: 640 * mebibyte, excessBytes: 0)
        #expect(trims(&policy, [500, 500]) == [false, true])
        policy.trimmed(excessBytes: 200 * mebibyte)
        #expect(!trims(&policy, [Int](repeating: 200, count: 10)).contains(true))
        #expect(trims(&policy, [264, 264]) == [false, true])
    }

    /// Returns how often a load is trimmed whose excess is back before the next look.
    private func trimsUnderLoad(_ policy: inout HeapTrimPolicy, _ excess: Int, looks: Int) -> Int {
        var trims = 0
        for _ in 0..<looks where policy.mustTrim(excessBytes: excess * mebibyte) {
            policy.trimmed(excessBytes: 0)
            trims += 1
        }
        return trims
    }

    @Test("Memory that is back after each trim is trimmed once in five minutes")
    func ordinaryLoad() {
        var policy = HeapTrimPolicy(residentBytes: 28 * mebibyte, excessBytes: 0)
        #expect(trimsUnderLoad(&policy, 40, looks: 10) == 2)
        #expect(trimsUnderLoad(&policy, 40, looks: 180) == 6)
    }

    @Test("A trim after which the memory is not back halves the threshold, down to the least")
    func halved() {
        var policy = HeapTrimPolicy(residentBytes: 0, excessBytes: 0)
        #expect(trimsUnderLoad(&policy, 100, looks: 4) == 2)
        #expect(trims(&policy, [0, 0, 31, 31, 0]) == [false, false, false, true, false])
        policy.trimmed(excessBytes: 0)
        #expect(
            trims(&policy, [0, 0, 15, 15, 16, 16]) == [false, false, false, false, false, true])
    }

    @Test("The threshold is at most an eighth of the memory limit")
    func memoryLimit() {
        var policy = HeapTrimPolicy(
            residentBytes: 0, excessBytes: 0, limitBytes: 256 * mebibyte)
        #expect(trimsUnderLoad(&policy, 32, looks: 20) == 10)
        var small = HeapTrimPolicy(residentBytes: 0, excessBytes: 0, limitBytes: 8 * mebibyte)
        #expect(trimsUnderLoad(&small, 15, looks: 20) == 0)
    }

    @Test("A trim that frees 16 MiB is worth a line at INFO")
    func level() {
        #expect(HeapTrimPolicy.level(freed: 16 * mebibyte) == .info)
        #expect(HeapTrimPolicy.level(freed: 16 * mebibyte - 1) == .debug)
    }
}
