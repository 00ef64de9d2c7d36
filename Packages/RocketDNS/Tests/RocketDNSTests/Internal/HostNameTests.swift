import Testing

@testable import RocketDNS

@Suite struct HostNameTests {
    @Test(
        "Accepts names of DNS, and no others",
        arguments: [
            ("a", true), ("a.b.", true), ("_rocket._tcp.example", true), ("", false), (".", false),
            ("a..b", false), ("a b", false), ("a\\b", false), ("ä.example", false),
            (String(repeating: "a", count: 63), true), (String(repeating: "a", count: 64), false),
            (String(repeating: "a.", count: 126) + "a", true),
            (String(repeating: "a.", count: 127) + "a", false),
        ])
    func validity(_ name: String, _ isValid: Bool) { #expect(HostName.isValid(name) == isValid) }

    @Test("Names of this machine and of Tor are not for DNS")
    func specialNames() {
        #expect(HostName.isLocalhost("LocalHost.") && HostName.isLocalhost("a.localhost"))
        #expect(!HostName.isLocalhost("mylocalhost") && HostName.isOnion("x.onion"))
    }

    @Test("Searches domains after a name with enough dots, before any other")
    func searchOrder() {
        let list = SearchList(domains: ["one.example", "two.example", "."], dots: 1)
        #expect(list.candidates("a") == ["a.one.example", "a.two.example", "a"])
        #expect(list.candidates("a.b") == ["a.b", "a.b.one.example", "a.b.two.example"])
        #expect(list.candidates("a.b.") == ["a.b"])
    }
}
