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
        var last = LastElements<Int>()
        for number in 0..<200 {
            let index = last.append(number)
            #expect(last[index] == number)
        }
        #expect(last.all.sorted() == Array(136..<200))
    }
}
