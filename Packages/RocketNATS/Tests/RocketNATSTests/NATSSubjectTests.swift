import RocketNATS
import Testing

struct NATSSubjectTests {
    @Test("Tokens with dots between them are a subject, with wildcards one for subscribing only")
    func sound() throws {
        #expect(try !NATSSubject("a").hasWildcards)
        #expect(try !NATSSubject("chat.Räume.1").hasWildcards)
        #expect(try !NATSSubject("a*.b>").hasWildcards)
        #expect(try NATSSubject("a.*.b").hasWildcards)
        #expect(try NATSSubject("a.>").hasWildcards)
        #expect(try NATSSubject(String(repeating: "x", count: 1024)).description.count == 1024)
    }

    @Test(
        "What would end the line, or is no subject, is an error that says why",
        arguments: [
            ("", "a token is empty"), ("a..b", "a token is empty"), (".a", "a token is empty"),
            ("a b", "blank"), ("a\r\nPUB x 1", "blank"), ("a\u{7F}", "control"),
            (">.a", "> is not its last token"),
            (String(repeating: "x", count: 1025), "1025 bytes, allowed are 1024"),
        ])
    func unsound(_ text: String, _ problem: String) {
        let error = #expect(throws: NATSConfigurationError.self) { try NATSSubject(text) }
        #expect(error?.description.contains(problem) == true)
    }
}
