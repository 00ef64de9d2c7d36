import RocketBase
import Testing

@Suite("The text of authorization rules")
struct AuthorizationRuleTests {
    @Test(
        "A rule is written as it was read",
        arguments: [
            "allow * to *", "deny a.B.* c.D.e to authenticated unix:uid=0 unix:gid=12",
            "allow a.B.c to dns:a.example dns:*.b.example uri:spiffe://a/b uri:spiffe://a/*",
            "allow a.B.c to \"subject:CN=a,O=b c;d\" claim:a=b=c claim:empty= token:a:b",
        ])
    func description(text: String) throws {
        #expect(try AuthorizationRule(text).description == text)
    }

    @Test(
        "A wrong rule is reported with its wrong part and what was expected",
        arguments: [
            ("", "begins with \"\"; expected allow or deny"),
            ("permit * to *", "begins with \"permit\"; expected allow or deny"),
            ("allow *", "has no word \"to\"; expected allow or deny, METHODS to CALLERS"),
            ("allow to *", "has 0 patterns of methods before \"to\"; expected 1 to 64"),
            ("allow * to", "has 0 patterns of callers after \"to\"; expected 1 to 64"),
            ("allow * to \"token:a", "has an odd number of double quotes; expected pairs"),
        ])
    func shape(text: String, message: String) throws {
        let error = #expect(throws: AuthorizationError.self) { try AuthorizationRule(text) }
        #expect(error?.description == message)
    }

    @Test(
        "A wrong pattern of methods is an error",
        arguments: ["a", "a.", ".a", "a..b", "a.B.**", "*.b", "a.*.b", "a-b.c", "a.*b"])
    func methods(pattern: String) throws {
        let error = #expect(throws: AuthorizationError.self) {
            try AuthorizationRule("allow \(pattern) to *")
        }
        #expect(
            error?.description.hasPrefix(
                "the method pattern \"\(pattern)\" is not valid; expected a method") == true)
    }

    @Test(
        "A wrong pattern of callers is an error",
        arguments: [
            "anyone", "unix:", "unix:uid=", "unix:uid=-1", "unix:uid=4294967296", "unix:pid=1",
            "dns:", "dns:*", "dns:a.*.b", "dns:*.*", "dns:a..b", "uri:spiffe://a*",
            "uri:spiffe://*", "uri:a/*/b", "subject:orders", "fingerprint:07", "token:", "claim:a",
            "claim:=a", "Token:a",
        ])
    func callers(pattern: String) throws {
        let error = #expect(throws: AuthorizationError.self) {
            try AuthorizationRule("allow * to \(pattern)")
        }
        #expect(
            error?.description.hasPrefix("the caller pattern \"\(pattern)\" is not valid; expected")
                == true)
    }

    @Test("A rule has at most 64 patterns of each kind, of 511 bytes")
    func limits() throws {
        func rule(_ count: Int, bytes: Int = 10) throws -> AuthorizationRule {
            let caller = "token:" + String(repeating: "a", count: bytes - 6)
            return try AuthorizationRule(
                "allow a.B.c to " + Array(repeating: caller, count: count).joined(separator: " "))
        }
        _ = try rule(64, bytes: 511)
        #expect(throws: AuthorizationError.self) { try rule(65) }
        #expect(throws: AuthorizationError.self) { try rule(1, bytes: 512) }
    }

    @Test("An error of a policy names the rule")
    func number() throws {
        let error = #expect(throws: AuthorizationError.self) {
            try AuthorizationPolicy("allow * to *", "allow * to nobody")
        }
        #expect(error?.description.hasPrefix("rule 2: the caller pattern \"nobody\"") == true)
    }
}
