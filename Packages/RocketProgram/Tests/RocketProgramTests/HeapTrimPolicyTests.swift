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
        "A tenth of what was resident at the start is worth a trim, 2 MiB at least, 64 at most",
        arguments: [(0, 2), (40, 4), (200, 20), (2_000, 64)])
    func threshold(_ resident: Int, _ threshold: Int) {
        var policy = HeapTrimPolicy(residentBytes: resident * mebibyte, excessBytes: 0)
        #expect(trims(&policy, [threshold - 1, threshold - 1]) == [false, false])
        #expect(trims(&policy, [threshold, threshold]) == [false, true])
    }

    @Test("Keeps memory that is used again in between")
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
}
