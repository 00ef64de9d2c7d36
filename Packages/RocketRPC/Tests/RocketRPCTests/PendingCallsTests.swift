import RocketSystem
import Testing

@testable import RocketRPC

@Suite struct PendingCallsTests {
    func id(_ text: String) throws -> CallID {
        try #require(unsafe CallID([UInt8](text.utf8).span.bytes))
    }

    @Test func aCallIsRemovedOnce() throws {
        var calls = PendingCalls<Int>()
        #expect(calls.insert(7, id: try id("a"), deadline: nil))
        #expect(!calls.insert(8, id: try id("a"), deadline: nil))
        #expect(calls.remove(try id("a")) == 7)
        #expect(calls.remove(try id("a")) == nil)
        #expect(calls.count == 0)
    }

    @Test func onlyExpiredCallsLeaveByTheirDeadlines() throws {
        var calls = PendingCalls<Int>()
        for number in 1...3 {
            _ = calls.insert(
                number, id: try id("\(number)"),
                deadline: MonotonicTime(nanoseconds: UInt64(number) * 10))
        }
        #expect(calls.nextDeadline == MonotonicTime(nanoseconds: 10))
        #expect(calls.remove(try id("1")) == 1)
        #expect(calls.removeExpired(now: MonotonicTime(nanoseconds: 19)) == nil)
        #expect(calls.removeExpired(now: MonotonicTime(nanoseconds: 20)) == 2)
        #expect(calls.removeAny() == 3)
        #expect(calls.removeAny() == nil)
        #expect(calls.nextDeadline == nil)
    }

    @Test func idsAreComparedByAllTheirBytes() throws {
        let long = String(repeating: "1", count: 49)
        #expect(try id(long) != id(String(long.dropLast())))
        #expect(try id("\0") != id(""))
        #expect(try id(long) == id(long))
        #expect(CallID([UInt8](repeating: 0, count: 50).span.bytes) == nil)
    }

    /// Any interleaving of reply, deadline, cancellation and close ends each call exactly once.
    @Test(arguments: 0..<50) func everyInterleavingEndsEachCallOnce(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var calls = PendingCalls<Int>()
        var ended: [Int: Int] = [:]
        var inserted = 0
        var now: UInt64 = 0
        for _ in 0..<2000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let deadline =
                    Bool.random(using: &random)
                    ? MonotonicTime(nanoseconds: now + .random(in: 0..<100, using: &random)) : nil
                if calls.insert(inserted, id: try id("\(inserted)"), deadline: deadline) {
                    inserted += 1
                }
            case 5..<8:
                let any = Int.random(in: 0..<max(1, inserted), using: &random)
                if let call = calls.remove(try id("\(any)")) { ended[call, default: 0] += 1 }
            case 8:
                now += .random(in: 0..<50, using: &random)
                while let call = calls.removeExpired(now: MonotonicTime(nanoseconds: now)) {
                    ended[call, default: 0] += 1
                }
            default:
                guard Int.random(in: 0..<50, using: &random) == 0 else { continue }
                while let call = calls.removeAny() { ended[call, default: 0] += 1 }
            }
        }
        while let call = calls.removeAny() { ended[call, default: 0] += 1 }
        #expect(ended.count == inserted)
        #expect(ended.values.allSatisfy { $0 == 1 })
    }
}

/// A small generator whose seed the test's name shows.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
