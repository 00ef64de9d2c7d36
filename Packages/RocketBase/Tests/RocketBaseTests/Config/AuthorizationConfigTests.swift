import RocketBase
import Testing

@Suite("root/server/authorization")
struct AuthorizationConfigTests {
    private func xml(_ content: String) -> String {
        "<root><server><authorization>\(content)</authorization></server></root>"
    }

    @Test("Each rule is an element; without one there is no table")
    func rules() throws {
        let config = try load(
            xml("<rule>allow rocket.Health.* to *</rule>\n<rule> deny * to * </rule>"))
        #expect(
            config.server.authorization?.rules.map(\.description) == [
                "allow rocket.Health.* to *", "deny * to *",
            ])
        #expect(try load(xml("")).server.authorization == nil)
        #expect(try load("<root/>").server.authorization == nil)
    }

    @Test("A wrong rule is an error with its line, its number and what was expected")
    func wrongRule() {
        let found = issues(xml("<rule>allow * to *</rule>\n<rule>allow * to root</rule>"))
        #expect(found.count == 1)
        #expect(
            found.first?.hasPrefix(
                "r.xml:2:1: error: root/server/authorization/rule: rule 2: the caller pattern "
                    + "\"root\" is not valid; expected *") == true, "\(found)")
    }

    @Test(
        "Anything but rules is an error: a misspelt one must not open the server",
        arguments: ["<rules>deny * to *</rules>", "deny * to *", "<rule><a/></rule>"])
    func otherContent(content: String) {
        #expect(throws: ConfigError.self) { try load(xml(content)) }
    }

    @Test("The environment has the rules in one text, separated by semicolons")
    func environment() throws {
        let name = "ROCKET_SERVER_AUTHORIZATION"
        let text = "allow a.B.c to \"token:a;b\"; deny * to *"
        let config = try load("<root/>", environment: [name: text])
        #expect(config.server.authorization?.rules.count == 2)
        #expect(config.entries.first { $0.path == "server/authorization" }?.text == text)
        #expect(throws: ConfigError.self) {
            try load("<root/>", environment: [name: "allow a.B.c to token:a;"])
        }
    }

    @Test("More than 512 rules are an error")
    func limit() {
        let rule = "<rule>deny * to *</rule>"
        #expect(throws: Never.self) { try load(xml(String(repeating: rule, count: 512))) }
        let found = issues(xml(String(repeating: rule, count: 513)))
        #expect(found.first?.contains("513 rules; a policy has at most 512") == true)
    }

    @Test("The table changes live, and the report explains it")
    func change() throws {
        let old = try load(xml("<rule>allow a.B.c to *</rule>"))
        let new = try load(xml("<rule>allow a.B.d to token:x</rule>"))
        #expect(new.diff(from: old).live.map(\.path) == ["server/authorization"])
        #expect(old.adoptingLiveChanges(of: new).server.authorization == new.server.authorization)
        #expect(new.report.contains("a.B.d\n  allow  token:x"))
        #expect(try !load("<root/>").report.contains("Who may call"))
    }
}
