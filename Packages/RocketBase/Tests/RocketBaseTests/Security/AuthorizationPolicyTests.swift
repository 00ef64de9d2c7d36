import RocketBase
import RocketSystem
import Testing

@Suite("Authorization policies")
struct AuthorizationPolicyTests {
    private func certificate(
        _ subject: String = "CN=x", dns: [String] = [], uris: [String] = [], digest: UInt8 = 7
    ) throws -> PeerIdentity {
        .certificate(
            X509Certificate(
                subject: subject, dnsNames: dns, uris: uris,
                fingerprint: try #require(
                    X509Fingerprint(bytes: [UInt8](repeating: digest, count: 32))),
                serial: "01", notBefore: WallTime(nanoseconds: 0),
                notAfter: WallTime(nanoseconds: 1)))
    }

    private func allows(
        _ pattern: String, _ identity: PeerIdentity, _ token: TokenIdentity? = nil
    ) throws -> Bool {
        try AuthorizationPolicy("allow * to \(pattern)").decide("a.B.c", identity, token).isAllowed
    }

    @Test("Names that only look the same are not the same")
    func lookalikes() throws {
        // The sign of Kelvin is canonically equivalent to K, and becomes k in lower case.
        let kelvin = "\u{212A}"
        #expect(kelvin == "K" && kelvin.lowercased() == "k")
        let identity = try certificate(
            "CN=\(kelvin)", dns: ["\(kelvin)afka.example", "a.\(kelvin)b"],
            uris: ["spiffe://example/\(kelvin)"])
        #expect(try !allows("dns:kafka.example", identity))
        #expect(try !allows("dns:*.kb", identity))
        #expect(try !allows("uri:spiffe://example/K", identity))
        #expect(try !allows("subject:CN=K", identity))
        let token = TokenIdentity(subject: "\(kelvin)im", claims: ["role": kelvin, kelvin: "x"])
        #expect(try !allows("token:Kim", .none, token))
        #expect(try allows("token:\(kelvin)im", .none, token))
        #expect(try !allows("claim:role=K", .none, token))
        #expect(try !allows("claim:K=x", .none, token))
        #expect(try allows("claim:role=\(kelvin)", .none, token))
        #expect(try allows("dns:kafka.example", certificate(dns: ["KAFKA.Example"])))
    }

    @Test("The first rule that matches decides, and nothing that no rule matches is allowed")
    func firstMatch() throws {
        let policy = try AuthorizationPolicy(
            "deny shop.Order.remove to token:guest",
            "allow shop.Order.* to token:guest token:staff",
            "allow rocket.Health.* to *")
        func decide(_ method: String, _ subject: String?) -> AuthorizationDecision {
            policy.decide(method, .none, subject.map { TokenIdentity(subject: $0) })
        }
        #expect(decide("shop.Order.remove", "guest").rule == 1)
        #expect(!decide("shop.Order.remove", "guest").isAllowed)
        #expect(decide("shop.Order.remove", "staff").isAllowed)
        #expect(decide("shop.Order.make", "guest").rule == 2)
        #expect(decide("rocket.Health.check", nil).isAllowed)
        #expect(decide("shop.Order.make", nil).rule == nil)
        #expect(!decide("shop.Order.make", nil).isAllowed)
        #expect(!decide("shop.Stock.query", "staff").isAllowed)
        #expect(try !AuthorizationPolicy([]).decide("a.B.c", .none).isAllowed)
    }

    @Test(
        "A pattern of methods matches whole names only",
        arguments: [
            ("*", "a.B.c", true), ("a.B.c", "a.B.c", true), ("a.B.c", "a.B.cd", false),
            ("a.B.*", "a.B.c", true), ("a.B.*", "a.BC.c", false), ("a.B.*", "a.B", false),
            ("a.*", "a.B.c", true), ("B.c", "a.B.c", false),
        ])
    func methods(pattern: String, method: String, matches: Bool) throws {
        let policy = try AuthorizationPolicy("allow \(pattern) to *")
        #expect(policy.decide(method, .none).isAllowed == matches)
    }

    @Test("A caller without any identity matches * only")
    func anonymous() throws {
        #expect(try allows("*", .none))
        for pattern in ["authenticated", "unix:uid=0", "token:a", "claim:a=b", "dns:a"] {
            #expect(try !allows(pattern, .none), "\(pattern)")
        }
    }

    @Test("Users and groups of Unix sockets are compared by number")
    func unixPeers() throws {
        let peer = PeerIdentity.unix(
            PeerCredentials(processID: 1, userID: 1000, groupID: 100))
        for pattern in ["unix:uid=1000", "unix:gid=100", "authenticated"] {
            #expect(try allows(pattern, peer), "\(pattern)")
        }
        for pattern in ["unix:uid=100", "unix:gid=1000", "unix:uid=0"] {
            #expect(try !allows(pattern, peer), "\(pattern)")
        }
    }

    @Test("DNS names are compared without case, and a wildcard stands for one label of a real name")
    func dnsNames() throws {
        let peer = try certificate(dns: ["other", "Orders.Example"])
        #expect(try allows("dns:orders.example", peer))
        #expect(try allows("dns:*.example", peer))
        #expect(try !allows("dns:example", peer))
        #expect(try !allows("dns:*.orders.example", peer))
        for name in ["a.b.example", ".example", "example", "*.example", "a.example.evil"] {
            #expect(try !allows("dns:*.example", certificate(dns: [name])), "\(name)")
        }
        #expect(try !allows("dns:orders.example", certificate(dns: ["*.example"])))
    }

    @Test("URIs match as a whole, or below a slash")
    func uris() throws {
        let peer = try certificate(uris: ["spiffe://example/ns/orders"])
        #expect(try allows("uri:spiffe://example/ns/orders", peer))
        #expect(try allows("uri:spiffe://example/*", peer))
        #expect(try allows("uri:spiffe://example/ns/*", peer))
        #expect(try !allows("uri:spiffe://example/ns", peer))
        #expect(try !allows("uri:spiffe://example/ns/orders/*", peer))
        #expect(try !allows("uri:spiffe://example/*", certificate(uris: ["spiffe://example/"])))
        #expect(
            try !allows("uri:spiffe://example/*", certificate(uris: ["spiffe://example.evil/a"])))
    }

    @Test("Subjects and fingerprints match as a whole")
    func subjects() throws {
        let peer = try certificate("CN=orders,O=Example Corp")
        #expect(try allows("\"subject:CN=orders,O=Example Corp\"", peer))
        #expect(try !allows("subject:CN=orders", peer))
        let digest = String(repeating: "07", count: 32)
        #expect(try allows("fingerprint:\(digest)", peer))
        #expect(try !allows("fingerprint:\(digest.replacing("07", with: "08"))", peer))
    }

    @Test("Tokens are compared by subject or claim, whatever the connection has proved")
    func tokens() throws {
        let token = TokenIdentity(subject: "billing", claims: ["role": "admin"])
        for identity in [PeerIdentity.none, try certificate()] {
            #expect(try allows("token:billing", identity, token))
            #expect(try allows("claim:role=admin", identity, token))
            #expect(try allows("authenticated", identity, token))
            #expect(try !allows("token:bill", identity, token))
            #expect(try !allows("claim:role=adm", identity, token))
            #expect(try !allows("claim:rol=admin", identity, token))
        }
    }

    @Test("A policy has at most 512 rules")
    func limit() throws {
        let rule = try AuthorizationRule("allow a.B.c to token:a")
        let most = try AuthorizationPolicy(
            Array(repeating: rule, count: 511) + [AuthorizationRule("allow * to *")])
        #expect(most.decide("x.Y.z", .none).rule == 512)
        let error = #expect(throws: AuthorizationError.self) {
            try AuthorizationPolicy(Array(repeating: rule, count: 513))
        }
        #expect(error?.description == "there are 513 rules; a policy has at most 512")
    }

    @Test("The explanation lists the callers of each pattern, up to the rule that decides for all")
    func explanation() throws {
        let policy = try AuthorizationPolicy(
            "deny shop.Order.remove to token:guest", "allow shop.Order.* to token:guest unix:uid=7",
            "deny * to *", "allow * to token:never")
        let lines = policy.explanation().split(separator: "\n").dropFirst(2).map(String.init)
        #expect(
            lines.map { $0.split(separator: " ").joined(separator: " ") } == [
                "shop.Order.remove", "deny token:guest rule 1", "allow token:guest rule 2",
                "allow unix:uid=7 rule 2", "deny anyone else rule 3",
                "shop.Order.*", "allow token:guest rule 2", "allow unix:uid=7 rule 2",
                "deny anyone else rule 3",
                "* (every method)", "deny anyone rule 3",
            ])
        let one = try AuthorizationPolicy("allow a.B.c to *").explanation(of: ["a.B.c", "a.B.d"])
        #expect(one.contains("a.B.c\n  allow  anyone"))
        #expect(one.hasSuffix("a.B.d\n  deny   anyone else"))
    }
}
