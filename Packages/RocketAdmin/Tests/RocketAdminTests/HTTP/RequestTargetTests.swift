import Testing

@testable import RocketAdmin

struct RequestTargetTests {
    @Test("path and query are decoded once, plus is a space in the query only")
    func decodes() throws {
        let target = try #require(RequestTarget("/ca%6Cls+x?method=a%2Eb&min=1+2&empty=&flag"))
        #expect(target.path == "/calls+x")
        #expect(target.query["method"] == "a.b")
        #expect(target.query["min"] == "1 2")
        #expect(target.query["empty"] == nil)
        #expect(target.query["flag"] == nil)
        #expect(RequestTarget("/%2561")?.path == "/%61")
    }

    @Test(
        "what is no path, and wrong escapes, are refused",
        arguments: ["", "*", "http://a/", "calls", "/%", "/%2", "/%zz", "/%ff", "/?a=%c3", "//a?%"])
    func refuses(_ text: String) {
        if text == "//a?%" {
            #expect(RequestTarget("//a")?.path == "//a")
        }
        #expect(RequestTarget(text) == nil)
    }

    @Test("more than 32 fields are refused")
    func limitsFields() {
        let fields = { (count: Int) in (0..<count).map { "a\($0)=1" }.joined(separator: "&") }
        #expect(FormFields(fields(32)) != nil)
        #expect(FormFields(fields(33)) == nil)
    }

    @Test("a query survives writing and reading")
    func roundTrip() throws {
        var fields = FormFields()
        fields["name"] = "a b&c=d%é\u{202E}"
        fields["other"] = "1"
        fields["other"] = nil
        let text = fields.text
        #expect(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        #expect(try #require(FormFields(text)) == fields)
    }
}
