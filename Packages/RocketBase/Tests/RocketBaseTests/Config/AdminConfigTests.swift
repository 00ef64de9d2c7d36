import Testing

@testable import RocketBase

struct AdminConfigTests {
    private func config(_ admin: String, environment: [String: String] = [:]) throws -> RocketConfig
    {
        try RocketConfig(
            xml: Array("<root><admin>\(admin)</admin></root>".utf8), file: "conf/rocket.xml",
            environment: environment)
    }

    @Test("There is no page by default, nor with an empty address")
    func off() throws {
        #expect(RocketConfig().admin.listen == nil)
        #expect(try config("<listen></listen>").admin.listen == nil)
    }

    @Test("A page listens on a path or a loopback address; a relative path is resolved")
    func addresses() throws {
        #expect(
            try config("<listen>unix:admin.sock</listen>").admin.listen == "unix:conf/admin.sock")
        for text in ["127.0.0.1:0", "127.1.2.3:80", "[::1]:9000", "unix:/run/a.sock"] {
            #expect(try config("<listen>\(text)</listen>").admin.listen == text)
        }
        let other = try config("", environment: ["ROCKET_ADMIN_LISTEN": "127.0.0.1:9"])
        #expect(other.admin.listen == "127.0.0.1:9")
    }

    @Test(
        "Other addresses are errors that say what to use",
        arguments: ["0.0.0.0:80", "192.0.2.1:80", "[::]:80", "[2001:db8::1]:80", "unix:@page"])
    func refused(_ address: String) throws {
        let error = #expect(throws: ConfigError.self) { try config("<listen>\(address)</listen>") }
        #expect(error?.description.contains("unix:PATH") == true)
        #expect(error?.description.contains(address) == true)
    }

    @Test(
        "A list of addresses is an error", arguments: ["unix:/a, 127.0.0.1:9", "unix:/a,unix:/b"])
    func list(_ addresses: String) throws {
        let error = #expect(throws: ConfigError.self) {
            try config("<listen>\(addresses)</listen>")
        }
        #expect(error?.description.contains("one address, not a list: \(addresses)") == true)
    }

    private static let tls =
        "<tls><certificate>/c</certificate><key>/k</key><client_ca>/a</client_ca></tls>"
    private static let rules = "<authorization><rule>allow admin.* to dns:a</rule></authorization>"

    @Test("With TLS and rules other machines may be reached, and the rules change live")
    func secure() throws {
        let old = try config("<listen>0.0.0.0:80</listen>" + Self.tls + Self.rules)
        #expect(old.admin.tls?.clientCA == "/a" && old.admin.authorization?.rules.count == 1)
        let rules = Self.rules.replacing("dns:a", with: "dns:b")
        let new = try config("<listen>0.0.0.0:80</listen>" + Self.tls + rules)
        #expect(new.diff(from: old).live.map(\.path) == ["admin/authorization"])
        #expect(old.adoptingLiveChanges(of: new).admin.authorization == new.admin.authorization)
    }

    @Test(
        "TLS without rules, rules without TLS, TLS without an authority and on a Unix socket are errors"
    )
    func insecure() {
        for (text, found) in [
            ("<listen>0.0.0.0:80</listen>" + Self.tls, "authorization"),
            ("<listen>127.0.0.1:80</listen>" + Self.rules, "tls"),
            ("<listen>0.0.0.0:80</listen>" + Self.rules, "tls"),
            (
                "<listen>0.0.0.0:80</listen>" + Self.rules
                    + Self.tls.replacing("<client_ca>/a</client_ca>", with: ""), "client_ca"
            ),
            ("<listen>unix:/a</listen>" + Self.tls + Self.rules, "Unix socket"),
        ] {
            let error = #expect(throws: ConfigError.self) { try config(text) }
            #expect(error?.description.contains(found) == true, "\(text)")
        }
    }

    @Test("A group is for a Unix socket only")
    func group() throws {
        #expect(
            try config("<listen>unix:/a</listen><group>ops</group>").admin.group == "ops")
        #expect(throws: ConfigError.self) {
            try config("<listen>127.0.0.1:1</listen><group>ops</group>")
        }
    }

    @Test("A change of any value needs a restart, and is in the entries")
    func entries() throws {
        let old = try config("")
        let new = try config("<listen>127.0.0.1:1</listen><writable>true</writable>")
        let changes = new.diff(from: old)
        #expect(changes.live.isEmpty)
        #expect(changes.restart.map(\.path) == ["admin/listen", "admin/writable"])
        #expect(old.adoptingLiveChanges(of: new).admin == old.admin)
    }
}
