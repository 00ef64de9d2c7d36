import Testing

@testable import RocketProgram

struct HeapTrimPolicyTests {
    private let mebibyte = 1 << 20

    @Test("Trims once the excess has been high for two times in a row")
    func burst() {
        var policy = HeapTrimPolicy(excessBytes: 30 * mebibyte)
        #expect(!policy.mustTrim(excessBytes: 30 * mebibyte))
        #expect(!policy.mustTrim(excessBytes: 93 * mebibyte))
        #expect(!policy.mustTrim(excessBytes: 500 * mebibyte))
        #expect(policy.mustTrim(excessBytes: 94 * mebibyte))
    }

    @Test("Memory that is used again in between is kept")
    func steadyLoad() {
        var policy = HeapTrimPolicy(excessBytes: 30 * mebibyte)
        for _ in 0..<10 {
            #expect(!policy.mustTrim(excessBytes: 500 * mebibyte))
            #expect(!policy.mustTrim(excessBytes: 50 * mebibyte))
        }
    }

    @Test("What a trim can't give back does not cause another one")
    func fragmentation() {
        var policy = HeapTrimPolicy(excessBytes: 0)
        _ = policy.mustTrim(excessBytes: 500 * mebibyte)
        #expect(policy.mustTrim(excessBytes: 500 * mebibyte))
        policy.trimmed(excessBytes: 200 * mebibyte)
        for _ in 0..<10 { #expect(!policy.mustTrim(excessBytes: 200 * mebibyte)) }
        _ = policy.mustTrim(excessBytes: 264 * mebibyte)
        #expect(policy.mustTrim(excessBytes: 264 * mebibyte))
    }
}
