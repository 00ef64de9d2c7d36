import RocketTCP
import Testing

@Suite struct HostPortTests {
    @Test(
        "Names the part of name:port that is wrong, and the reason",
        arguments: [
            ("nowhere", "has no port; expected host:port"), (":80", "host is empty"),
            ("a b:80", "host \"a b\" has characters that are not allowed in a name"),
            ("name:http", "port \"http\" is not a number from 0 to 65535"),
        ])
    func errors(_ text: String, _ problem: String) {
        let error = #expect(throws: NetAddressError.self) { try HostPort(parsing: text) }
        #expect(error?.description == "address \"\(text)\": \(problem)")
    }
}
