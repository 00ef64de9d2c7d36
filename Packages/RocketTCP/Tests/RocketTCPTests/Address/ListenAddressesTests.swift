import RocketTCP
import Testing

@Suite struct ListenAddressesTests {
    @Test("An address is itself; a host is all its addresses, with the port")
    func addresses() throws {
        var addresses = ListenAddresses()
        #expect(try addresses.addresses(of: "10.0.0.1:80").map(\.description) == ["10.0.0.1:80"])
        #expect(try addresses.addresses(of: "[::]:80").map(\.description) == ["[::]:80"])
        #expect(try addresses.addresses(of: "unix:/run/a").map(\.description) == ["unix:/run/a"])
        let found = try addresses.addresses(of: "localhost:80")
        #expect(found.contains(.loopback(port: 80)))
        #expect(found.allSatisfy { ["127.0.0.1:80", "[::1]:80"].contains("\($0)") })
    }

    @Test("What can't be looked up is named")
    func unknown() {
        var addresses = ListenAddresses()
        let error = #expect(throws: ListenAddressError.self) {
            try addresses.addresses(of: "a..invalid:80")
        }
        #expect(error?.description.contains("listen on a..invalid:80: host name") == true)
        let wrong = #expect(throws: ListenAddressError.self) { try addresses.addresses(of: "a") }
        #expect(wrong?.isPermanent == true)
    }
}
