import RocketSystem
import RocketTCP
import Testing

@Suite struct NameResolverTests {
    @Test func aNameOfThisMachineIsResolvedOffTheLoop() async throws {
        let resolver = try NameResolver()
        let addresses = try await resolver.resolve(HostPort(parsing: "localhost:80"))
        #expect(addresses.contains(.loopback(port: 80)) || !addresses.isEmpty)
        resolver.shutdown()
        await #expect(throws: NameLookupError.self) {
            try await resolver.resolve(HostPort(host: "localhost", port: 1))
        }
    }

    @Test(arguments: [
        ("nowhere", "has no port; expected host:port"), (":80", "host is empty"),
        ("a b:80", "host \"a b\" has characters that no name has"),
        ("name:http", "port \"http\" is not a number from 0 to 65535"),
    ])
    func aNameAndPortSayWhatIsWrong(_ text: String, _ problem: String) {
        let error = #expect(throws: NetAddressError.self) { try HostPort(parsing: text) }
        #expect(error?.description == "address \"\(text)\": \(problem)")
    }
}
