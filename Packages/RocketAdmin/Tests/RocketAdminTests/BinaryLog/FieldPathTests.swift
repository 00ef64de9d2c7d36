import RocketBinaryLog
import Testing

struct FieldPathTests {
    private func steps(_ text: String) -> [FieldPath.Step] {
        text.split(separator: ".").map { Int($0).map { .index($0) } ?? .name(String($0)) }
    }

    @Test(
        "a path means the fields at whose own paths it is the end",
        arguments: [
            ("time", "time", true), ("time", "items.3.time", true), ("time", "times", false),
            (".time", "time", true), (".time", "items.3.time", false),
            ("items.time", "items.3.time", true), ("items.*.time", "items.3.time", true),
            ("items.3.time", "items.3.time", true), ("items.2.time", "items.3.time", false),
            ("items", "items.3", true), ("items", "items.3.time", false),
            (".a.*", "a.b", true), (".a.*", "a.b.c", false), ("*", "a", true),
            ("card.number", "order.card.number", true), ("card.number", "number", false),
            (".items.time", "a.items.3.time", false),
        ])
    func matches(_ path: String, _ field: String, _ isMeant: Bool) throws {
        #expect(try #require(FieldPath(path)).matches(steps(field)) == isMeant)
    }

    @Test("many stars and many indices take no time")
    func stars() throws {
        let path = try #require(FieldPath("a" + String(repeating: ".*", count: 31)))
        let indices = [FieldPath.Step](repeating: .index(1), count: 10_000)
        #expect(!path.matches(indices) && !path.matches([.name("b")] + indices))
        #expect(path.matches([.name("a")] + indices))
    }

    @Test("what is no path is refused, and lists are separated by commas")
    func parsing() throws {
        for text in ["", ".", "a..b", "a.", "a-b", "a b", String(repeating: "a", count: 501)] {
            #expect(FieldPath(text) == nil)
        }
        #expect(FieldPath("a" + String(repeating: ".a", count: 32)) == nil)
        #expect(try FieldPath.list("a, b.c ,.d").get().map(\.description) == ["a", "b.c", ".d"])
        #expect(try FieldPath.list("").get().isEmpty)
        let error = #expect(throws: NoFieldPath.self) { try FieldPath.list("a,b-c").get() }
        #expect(error?.description.contains("'b-c'") == true)
        #expect(FieldPath.text([.name("items"), .index(0), .name("time")]) == "items.0.time")
    }
}
