import RocketSystem
import Testing

@testable import RocketBase

@Suite struct MessageIDTests {
    func parsed(_ text: String) -> MessageID? { MessageID(digits: text.utf8.span.bytes) }

    @Test("Each id has twenty digits")
    func digits() {
        for _ in 0..<10_000 {
            let text = MessageID.next().description
            #expect(text.utf8.count == 20)
            #expect(text.utf8.allSatisfy { (48...57).contains($0) })
        }
    }

    @Test(
        "The successor of an id carries between its halves",
        arguments: [
            ("00000000000000000000", "00000000000000000001"),
            ("00000000009999999999", "00000000010000000000"),
            ("12345678909999999999", "12345678910000000000"),
            ("99999999989999999999", "99999999990000000000"),
            ("99999999999999999999", "00000000000000000000"),
        ])
    func carry(_ before: String, _ after: String) throws {
        let id = try #require(parsed(before))
        #expect(id.description == before)
        #expect(id.successor.description == after)
    }

    @Test("Successors agree with arithmetic on the whole number")
    func arithmetic() {
        let modulus: UInt128 = 100_000_000_000_000_000_000
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let nines = UInt64.random(in: 0..<1_000, using: &random)
            let low =
                Bool.random()
                ? MessageID.base - 1 - nines
                : UInt64.random(in: 0..<MessageID.base, using: &random)
            var id = MessageID(high: .random(in: 0..<MessageID.base, using: &random), low: low)
            let start = UInt128(id.high) * UInt128(MessageID.base) + UInt128(id.low)
            let steps = Int.random(in: 1...2_000, using: &random)
            for _ in 0..<steps { id = id.successor }
            let expected = (start + UInt128(steps)) % modulus
            let digits = String(expected)
            #expect(id.description == String(repeating: "0", count: 20 - digits.count) + digits)
        }
    }

    @Test("Ids are unique across threads")
    func uniqueness() throws {
        let all = Locked<Set<MessageID>>([])
        let workers = try (0..<8).map { _ in
            try SystemThread(name: "ids") {
                let own = Set((0..<10_000).map { _ in MessageID.next() })
                all.withLock { $0.formUnion(own) }
            }
        }
        for worker in workers { worker.join() }
        #expect(all.withLock { $0.count } == 80_000)
    }

    @Test(
        "Rejects text other than twenty digits",
        arguments: [
            "", "1", "1234567890123456789", "123456789012345678901", "1234567890123456789a",
        ])
    func invalidIDs(_ text: String) {
        #expect(parsed(text) == nil)
    }

    @Test("An inline string holds 55 bytes and cuts longer text")
    func inlineString() {
        #expect(InlineString("").isEmpty)
        #expect(InlineString("99998888").description == "99998888")
        let long = String(repeating: "x", count: 60)
        #expect(InlineString(long).description == String(repeating: "x", count: 55))
        #expect(InlineString("a") == InlineString("a") && InlineString("a") != InlineString("b"))
    }
}
