import Testing
import Tracing

@testable import RocketOTLP

struct TraceContextTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test("traceparent is read and written as W3C has it")
    func parent() throws {
        let context = try #require(TraceContext(parent: Self.parent, state: "a=b,c=d"))
        #expect(context.traceID.high == 0x0af7_6519_16cd_43dd)
        #expect(context.traceID.low == 0x8448_eb21_1c80_319c)
        #expect(context.spanID == 0xb7ad_6b71_6920_3331)
        #expect(context.isSampled)
        #expect(context.state == "a=b,c=d")
        #expect(context.parent == Self.parent)
        let zeros = "00-00000000000000000000000000000001-0000000000000001-00"
        #expect(TraceContext(parent: zeros, state: nil)?.parent == zeros)
        #expect(TraceContext(parent: zeros, state: nil)?.isSampled == false)
    }

    @Test(
        "What is not of the form of traceparent is no parent",
        arguments: [
            "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
            "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ])
    func refused(text: String) { #expect(TraceContext(parent: text, state: nil) == nil) }

    @Test("A later version may say more, and unknown flags are not passed on")
    func later() throws {
        let text = "7f-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff-more"
        let context = try #require(TraceContext(parent: text, state: nil))
        #expect(
            context.parent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03")
    }

    @Test("A tracestate that is too long, or has control characters, is not passed on")
    func state() {
        for state in [String(repeating: "a", count: 513), "a=\n", "ä=1"] {
            #expect(TraceContext(parent: Self.parent, state: state)?.state == "")
        }
        let most = String(repeating: "a", count: 512)
        #expect(TraceContext(parent: Self.parent, state: most)?.state == most)
    }

    @Test("One of so many traces is exported, and all processes choose the same ones")
    func sampling() {
        var random = CountingGenerator()
        let ids = TraceIDs(using: &random)
        let (first, second) = (TraceSampler(callsPerTrace: 10), TraceSampler(callsPerTrace: 10))
        var sampled = 0
        for _ in 0..<10_000 {
            let id = ids.next()
            #expect(first.samples(id) == second.samples(id))
            if first.samples(id) { sampled += 1 }
        }
        #expect((800...1200).contains(sampled))
        #expect((0..<100).allSatisfy { _ in TraceSampler(callsPerTrace: 1).samples(ids.next()) })
        #expect(TraceSampler(callsPerTrace: 1).samples(.max))
        #expect(!TraceSampler(callsPerTrace: 0).samples(0))
    }

    @Test("Ids differ, whatever the counter begins with")
    func ids() {
        var random = CountingGenerator()
        let ids = TraceIDs(using: &random)
        #expect(Set((0..<10_000).map { _ in ids.next() }).count == 10_000)
    }
}

/// 0, 1, 2, …
struct CountingGenerator: RandomNumberGenerator {
    private var last = UInt64.max

    mutating func next() -> UInt64 {
        last &+= 1
        return last
    }
}
