import RocketSystem
import Testing

@testable import RocketDNS

@Suite struct DNSMessageTests {
    /// id, flags, one question for "a", then the counts and what follows.
    private func message(
        code: UInt8 = 0, answers: UInt8, authorities: UInt8 = 0, _ rest: [UInt8]
    ) -> [UInt8] {
        [0, 1, 0x81, 0x80 | code, 0, 1, 0, answers, 0, authorities, 0, 0, 1, 97, 0, 0, 1, 0, 1]
            + rest
    }

    private func a(_ ttl: [UInt8] = [0, 0, 0, 9], kind: UInt8 = 1) -> [UInt8] {
        [0xC0, 12, 0, 1, 0, kind] + ttl + [0, 4, 127, 0, 0, 2]
    }

    private func outcome(_ bytes: [UInt8], _ type: RecordType = .a) -> QueryOutcome? {
        DNSMessage(bytes)?.outcome(type, limit: 10)
    }

    @Test("Reads compressed names, and ignores records of other classes, types and names")
    func records() {
        let record = QueryOutcome.Record(data: .ipv4(0x7F00_0002), ttl: 9)
        #expect(outcome(message(answers: 1, a())) == .records([record], minimumTTL: 9))
        #expect(outcome(message(answers: 1, a(kind: 3))) == .negative(.noRecords, ttl: nil))
        #expect(outcome(message(answers: 1, a()), .aaaa) == .negative(.noRecords, ttl: nil))
        let other: [UInt8] = [1, 98, 0] + a().dropFirst(2)
        #expect(outcome(message(answers: 1, other)) == .negative(.noRecords, ttl: nil))
    }

    @Test("A TTL with the highest bit is 0")
    func hugeTTL() {
        let record = QueryOutcome.Record(data: .ipv4(0x7F00_0002), ttl: 0)
        #expect(
            outcome(message(answers: 1, a([0xFF, 0, 0, 0]))) == .records([record], minimumTTL: 0))
    }

    @Test("Every shorter message is malformed")
    func cut() {
        let whole = message(answers: 1, a())
        for count in 0..<whole.count { #expect(DNSMessage(Array(whole.prefix(count))) == nil) }
        var query = whole
        query[2] = 1
        #expect(DNSMessage(query) == nil)
    }

    @Test("Names that lead forward, in a ring, or are too long are malformed")
    func badNames() {
        #expect(DNSMessage(message(answers: 1, [0xC0, 19] + a().dropFirst(2))) == nil)
        #expect(DNSMessage(message(answers: 1, [0xC0, 60] + a().dropFirst(2))) == nil)
        #expect(DNSMessage(message(answers: 1, [1, 98, 0xC0, 19] + a().dropFirst(2))) == nil)
        #expect(DNSMessage(message(answers: 1, [0x40, 98, 0] + a().dropFirst(2))) == nil)
        let long = [UInt8](repeating: 1, count: 300) + [0]
        #expect(DNSMessage(message(answers: 1, long + a().dropFirst(2))) == nil)
    }

    @Test("Bytes that would make two names one are escaped")
    func escapes() {
        var reader = DNSReader(bytes: [3, 97, 46, 92, 1, 65, 0])
        #expect(reader.name() == "a\\046\\092.a")
        #expect(reader.offset == 7)
    }

    @Test("Survives any bytes", arguments: 1...4)
    func fuzz(seed: UInt64) {
        var generator = Seeded(state: seed)
        for _ in 0..<5_000 {
            var bytes = message(
                answers: 3, authorities: 1,
                a() + a() + [0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 1, 0, 2, 0xC0, 12]
                    + [0, 0, 6, 0, 1, 0, 0, 0, 1, 0, 22, 0, 0] + [UInt8](repeating: 1, count: 20))
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: 2..<bytes.count, using: &generator)] =
                    UInt8.random(in: 0...255, using: &generator)
            }
            for type in RecordType.allCases { _ = outcome(bytes, type) }
        }
    }
}
