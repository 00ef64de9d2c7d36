import RocketTCP
import Testing

@Suite("The field Host")
struct HTTPHostTests {
    @Test(
        "It is a name or an address, with a port or without",
        arguments: [
            ("localhost", "localhost", true), ("LocalHost:80", "localhost", true),
            ("127.0.0.1", "127.0.0.1", true), ("127.9.9.9:1", "127.9.9.9", true),
            ("[::1]:80", "::1", true), ("[::1]", "::1", true),
            ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1", true),
            ("Example.ORG:443", "example.org", false), ("128.0.0.1", "128.0.0.1", false),
            ("localhost.example", "localhost.example", false),
            ("localhost:", "", false), ("localhost:80x", "", false), ("[::1", "", false),
            ("[::1]x", "", false), ("[::1]:", "", false), ("", "", false),
        ])
    func read(field: String, name: String, isLoopback: Bool) {
        let host = HTTPHost(field)
        #expect(host.name == name && host.isLoopback == isLoopback)
    }

    @Test("A Unix socket is no loopback address")
    func unix() throws {
        #expect(try !NetAddress(parsing: "unix:/x").isLoopback)
        #expect(try NetAddress(parsing: "[::1]:1").isLoopback)
        #expect(try !NetAddress(parsing: "0.0.0.0:1").isLoopback)
    }
}
