import RocketBase
import Testing

@testable import RocketRPC

@Suite("Sampling of calls")
struct CallSamplerTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("The first call is kept, and then at least one a second")
    func oneASecond() {
        var sampler = CallSampler(callsPerSample: 1_000)
        let kept = (0..<40).map { sampler.takes(at: Self.second + UInt64($0) * Self.second / 4) }
        #expect(kept.filter { $0 }.count == 10)
        #expect(kept[0])
    }

    @Test("One of so many calls is kept")
    func oneOfMany() {
        var sampler = CallSampler(callsPerSample: 100)
        // 100 calls a millisecond would be 1,000 samples a second; 100 in 200 ms are 5.
        let kept = (0..<1_000).filter { sampler.takes(at: UInt64($0) * 2_000_000) }
        #expect(kept.count == 10)
    }

    @Test("No more than 10 a second are kept as one of many")
    func tenASecond() {
        var sampler = CallSampler(callsPerSample: 2)
        let kept = (0..<100_000).filter { sampler.takes(at: UInt64($0) * 10_000) }
        #expect(kept.count == 10)
    }

    @Test("Without sampling no call is kept")
    func off() {
        var sampler = CallSampler(callsPerSample: 0)
        let kept = (0..<1_000).filter { sampler.takes(at: UInt64($0) * Self.second) }
        #expect(kept.isEmpty)
    }

    @Test("The first 10 failed ones of each second are kept, and slow ones beside them")
    func reasons() {
        var sampler = CallSampler(callsPerSample: 0)
        let failed = (0..<100).filter { _ in sampler.takes(.failed, at: 5 * Self.second) }
        let slow = (0..<100).filter { _ in sampler.takes(.slow, at: 5 * Self.second) }
        #expect(failed.count == 10 && slow.count == 10)
        let isKept = sampler.takes(.failed, at: 6 * Self.second)
        #expect(isKept)
    }

    @Test("The last 64 elements are kept")
    func lastElements() {
        var last = LastElements<Int>(capacity: 64)
        for number in 0..<200 {
            let index = last.append(number)
            #expect(last[index] == number)
        }
        #expect(last.all.sorted() == Array(136..<200))
    }

    @Test(
        "The id of a trace is read only from a valid traceparent",
        arguments: [
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true, true),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true, false),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03", true, true),
            ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", true, true),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", false, false),
            ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, false),
            ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false, false),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false, false),
            ("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, false),
            ("00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01", false, false),
            ("00-0af7651916cd43dd8448eb211c80319c+b7ad6b7169203331-01", false, false),
            ("", false, false), ("00", false, false), ("---", false, false),
        ])
    func traceParent(text: String, isValid: Bool, isSampled: Bool) {
        let metadata = Array("rkm1\na=b\ntraceparent=\(text)\n".utf8)
        // SAFETY: the array lives, unchanged, until the header is read.
        let parent = TraceParent(in: unsafe metadata.span.bytes)
        #expect(parent?.traceID.text == (isValid ? "0af7651916cd43dd8448eb211c80319c" : nil))
        #expect(parent?.spanID == (isValid ? "b7ad6b7169203331" : nil))
        #expect((parent?.isSampled ?? false) == isSampled)
    }

    @Test("The last error of each method is kept, of the same code within 100 ms the first")
    func lastErrors() {
        var errors = LastErrors(methodCount: 2)
        #expect(errors.all.isEmpty)
        errors.record(.internal, "a", of: 0, at: 0)
        errors.record(.internal, "b", of: 0, at: LastErrors.interval - 1)
        #expect(errors.all.map(\.text) == ["a"])
        errors.record(.unavailable, "c", of: 0, at: LastErrors.interval - 1)
        errors.record(.unavailable, "d", of: 2, at: 5)
        errors.record(.unavailable, "none", of: 3, at: 5)
        #expect(errors.all.map(\.text) == ["c", "d"] && errors.all.map(\.method) == [0, 2])
        errors.record(.unavailable, "e", of: 0, at: 2 * LastErrors.interval)
        #expect(errors.all.map(\.text) == ["e", "d"])
    }

    @Test(
        "A text of an error that is kept has at most 256 bytes",
        arguments: ["", "short", String(repeating: "x", count: 256)])
    func shortText(_ text: String) { #expect(ErrorText.shortened(text) == text) }

    @Test("A longer text of an error ends with …", arguments: ["x", "ü", "€", "𝄞", "e\u{301}"])
    func longText(_ character: String) {
        let text = ErrorText.shortened(String(repeating: character, count: 300))
        #expect(text.utf8.count <= 256 && text.utf8.count > 245 && text.hasSuffix("…"))
    }
}
