import RocketTCP
import Testing

@testable import RocketNATS

struct NATSConfigurationTests {
    @Test("URLs name servers, and who connects to them")
    func urls() throws {
        let one = try NATSURL(parsing: "nats://10.0.0.1")
        #expect(one.servers.map(\.description) == ["10.0.0.1:4222"] && !one.requiresTLS)
        guard case .none = one.credentials else { throw Unexpected() }
        let many = try NATSURL(parsing: "tls://me:p%40%3A@a.example,[::1]:4,[fd00::1],b:5/")
        #expect(
            many.servers.map(\.description) == [
                "a.example:4222", "[::1]:4", "[fd00::1]:4222", "b:5",
            ])
        #expect(many.requiresTLS)
        guard case .user("me", password: "p@:") = many.credentials else { throw Unexpected() }
        guard case .token("s3cret") = try NATSURL(parsing: "nats://s3cret@a").credentials else {
            throw Unexpected()
        }
    }

    private struct Unexpected: Error {}

    @Test(
        "What is wrong with a URL is said, without its password",
        arguments: [
            ("", "begins with nats://"), ("localhost", "begins with nats://"),
            ("http://a", "begins with nats://"), ("nats://", "empty"), ("nats://a,,b", "empty"),
            ("nats://a:0x", "port"), ("nats://a:99999", "port"), ("nats://a b", "characters"),
            ("nats://u:%zz@a", "%"), ("nats://u:secret%ff@a", "UTF-8"),
            ("nats://" + String(repeating: "a,", count: 64) + "a", "65 servers, allowed are 64"),
        ])
    func wrongURLs(_ text: String, _ problem: String) {
        let error = #expect(throws: NATSConfigurationError.self) { try NATSURL(parsing: text) }
        #expect(error?.description.contains(problem) == true, "\(error as Any)")
        #expect(error?.description.contains("secret") == false)
    }

    // Of nkeys.io: `nk -gen user -pubout`.
    private static let seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"

    @Test("An NKEY signs, and has a public key with a checksum")
    func keys() throws {
        let key = try NATSKey(seed: Self.seed + "\n")
        #expect(key.publicKey == "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4")
        let signature = try key.signature(of: "nonce")
        #expect(signature.utf8.count == 86)
        #expect(try key.signature(of: "nonce") == signature)
        #expect(Radix.base64URL.encode([0xFB, 0xFF]) == "-_8")
        #expect(Radix.base32.decode(Array("MZXW6".utf8)) == Array("foo".utf8))
        #expect(Radix.base32.decode(Array("MZXW7".utf8)) == nil)
        #expect(Radix.base32.decode(Array("MZXW1".utf8)) == nil)
    }

    @Test(
        "What is wrong with a seed is said, without the seed",
        arguments: [
            ("", "58 characters"), (String(seed.dropLast()), "58 characters"),
            (seed.lowercased(), "58 characters"),
            (seed.replacingOccurrence("CSSL", "CSSM"), "checksum"),
            ("UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4", "58 characters"),
        ])
    func wrongSeeds(_ seed: String, _ problem: String) {
        let error = #expect(throws: NATSConfigurationError.self) { try NATSKey(seed: seed) }
        #expect(error?.description.contains(problem) == true)
        #expect(error?.description.contains("SSL3UAHUDX") == false)
    }

    @Test("Servers are tried in turn; those that a server names are added, and forgotten")
    func pool() throws {
        let servers = try NATSURL(parsing: "nats://a,b").servers
        var pool = NATSServerPool(servers, limit: 4)
        func next() -> String { pool.next().description }
        #expect([next(), next(), next()] == ["a:4222", "b:4222", "a:4222"])
        pool.update(["b:4222", "c:1", "d:2", "e:3", "x y"])
        #expect(pool.servers.map(\.description) == ["a:4222", "b:4222", "c:1", "d:2"])
        #expect([next(), next()] == ["b:4222", "c:1"])
        // The current one stays, even if it is no longer named.
        pool.update(["e:3"])
        #expect(pool.servers.map(\.description) == ["a:4222", "b:4222", "c:1", "e:3"])
        #expect([next(), next()] == ["e:3", "a:4222"])
        pool.update([])
        #expect(pool.servers.map(\.description) == ["a:4222", "b:4222"])
    }
}

extension String {
    fileprivate func replacingOccurrence(_ old: String, _ new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        return replacingCharacters(in: range, new)
    }

    private func replacingCharacters(in range: Range<Index>, _ new: String) -> String {
        String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}
