import RocketSystem
import RocketTCP
import Testing

@Suite struct NetAddressTests {
    @Test(
        "Parses its own description",
        arguments: [
            "127.0.0.1:12345", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[::]:0",
            "[2001:db8::1:0:0:1]:443", "[fe80::1%7]:80", "[::ffff:192.0.2.1]:80",
            "unix:/run/rocket",
            "unix:relative", "unix:@rocket", "unix:/with:colon", "unix:/naïve",
        ])
    func anAddressPrintsAsItWasRead(_ text: String) throws {
        let address = try NetAddress(parsing: text)
        #expect(address.description == text)
        #expect(try NetAddress(parsing: address.description) == address)
    }

    @Test(
        "Names the part that is wrong, and the reason",
        arguments: [
            ("127.0.0.1", "has no port; expected host:port, [ipv6]:port or unix:/path"),
            ("", "has no port; expected host:port, [ipv6]:port or unix:/path"),
            (":80", "host is empty"),
            ("localhost:80", "host \"localhost\" is not an IP address"),
            ("256.1.1.1:80", "host \"256.1.1.1\" is not an IP address"),
            ("127.0.0.1:", "port \"\" is not a number from 0 to 65535"),
            ("127.0.0.1:65536", "port \"65536\" is not a number from 0 to 65535"),
            ("127.0.0.1:+80", "port \"+80\" is not a number from 0 to 65535"),
            ("::1:80", "host \"::1\" looks like IPv6, which needs brackets: [::1]:port"),
            ("[::1:80", "host \"[::1\" has no closing ] before the port"),
            ("[::g]:80", "host \"::g\" is not an IPv6 address"),
            ("[127.0.0.1]:80", "host \"127.0.0.1\" is not an IPv6 address"),
            (
                "[fe80::1%no-such]:80",
                "scope \"no-such\" is neither an interface of this machine nor an index"
            ),
            ("[fe80::1%0]:80", "scope \"0\" is neither an interface of this machine nor an index"),
            ("unix:", "path is empty"), ("unix:@", "path is empty"),
            ("unix:/a\0b", "path contains a NUL"),
        ])
    func errors(_ text: String, _ problem: String) {
        let error = #expect(throws: NetAddressError.self) { try NetAddress(parsing: text) }
        #expect(error?.description == "address \"\(text)\": \(problem)")
    }

    @Test("Accepts a path of 107 bytes and rejects a longer one")
    func aPathMayHaveOneHundredAndSevenBytes() throws {
        let longest = "/" + String(repeating: "x", count: 106)
        #expect(try NetAddress(parsing: "unix:" + longest).isUnix)
        let error = #expect(throws: NetAddressError.self) {
            try NetAddress(parsing: "unix:" + longest + "x")
        }
        #expect(error?.part == .path)
        #expect(error?.problem == "has 108 bytes, the most is 107")
    }

    @Test("Accepts a scope given by name")
    func aScopeMayBeGivenByName() throws {
        let address = try NetAddress(parsing: "[fe80::1%lo]:80")
        #expect(address.description == "[fe80::1%1]:80")
        #expect(address.host == "fe80::1%1")
    }

    @Test("Unmaps an IPv4-mapped IPv6 address")
    func unmapping() throws {
        let mapped = try NetAddress(parsing: "[::ffff:192.0.2.1]:80")
        #expect(mapped.unmapped.description == "192.0.2.1:80")
        let plain = try NetAddress(parsing: "[::1]:80")
        #expect(plain.unmapped == plain)
    }

    @Test("Keeps a path that begins with @ apart from an abstract name")
    func pathThatBeginsWithAt() throws {
        let address = NetAddress(.unix(path: "@x"))
        #expect(address.description == "unix:./@x")
        #expect(try NetAddress(parsing: address.description).socketAddress == .unix(path: "./@x"))
    }

    @Test("Creates an address from a host and a port")
    func hostAndPortApart() throws {
        #expect(try NetAddress(ip: "::1", port: 80).description == "[::1]:80")
        #expect(try NetAddress(ip: "10.0.0.1", port: 80).withPort(81).description == "10.0.0.1:81")
        #expect(throws: NetAddressError.self) { try NetAddress(ip: "nowhere", port: 1) }
    }
}
