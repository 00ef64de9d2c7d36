import Foundation
import JWTKit
import RocketBase
import RocketBaseTestKit
import RocketRPC
import RocketRPCJWT
import RocketSystem
import RocketTCP
import Testing

@Suite("JSON Web Tokens")
struct JWTAuthenticatorTests {
    /// What tests put into tokens.
    struct Claims: JWTPayload {
        var iss: String? = "https://id.example"
        var aud: [String]? = ["orders"]
        var sub: String? = "billing"
        var exp: Int? = Self.now + 600
        var nbf: Int?
        var role: String? = "admin"
        var level: Int? = 7

        static let now = 1_767_225_600

        static func with(_ change: (inout Claims) -> Void) -> Claims {
            var claims = Claims()
            change(&claims)
            return claims
        }

        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    struct AudienceText: JWTPayload {
        var iss = "https://id.example"
        var aud = "orders"
        var sub = "billing"
        var exp = Double(Claims.now) + 600.5
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    struct BadTime: JWTPayload {
        var iss = "https://id.example"
        var aud = "orders"
        var sub = "billing"
        var exp = Claims.now + 600
        var nbf = "soon"
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    private let peer = RPCPeer(address: .loopback(port: 1))
    private let key = ES256PrivateKey()

    private func jwks(_ keys: [(String, ES256PrivateKey)], algorithm: String? = "ES256") throws
        -> String
    {
        let texts = try keys.map { id, key in
            let (x, y) = try #require(key.publicKey.parameters)
            let alg = algorithm.map { ",\"alg\":\"\($0)\"" } ?? ""
            return
                "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"\(id)\",\"x\":\"\(x)\",\"y\":\"\(y)\"\(alg)}"
        }
        return "{\"keys\":[\(texts.joined(separator: ","))]}"
    }

    private func withFile(
        _ text: String, mode: Int = 0o644, _ body: (String) async throws -> Void
    ) async throws {
        let file = NSTemporaryDirectory() + "rocket-jwks-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: file) }
        try write(text, to: file, mode: mode)
        try await body(file)
    }

    private func write(_ text: String, to file: String, mode: Int = 0o644) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    }

    private func token(
        _ claims: some JWTPayload = Claims(), key: ES256PrivateKey? = nil, id: String? = "a",
        header: JWTHeader = JWTHeader()
    ) async throws -> String {
        let kid = id.map { JWKIdentifier(string: $0) }
        let keys = await JWTKeyCollection().add(ecdsa: key ?? self.key, kid: kid)
        return try await keys.sign(claims, kid: kid, header: header)
    }

    private func authenticator(
        _ file: String, _ time: any TimeSource = ManualTimeSource()
    ) async throws -> JWTAuthenticator {
        try await JWTAuthenticator(
            keys: file, issuer: "https://id.example", audience: "orders", time: time)
    }

    /// The subject, or why the token is refused.
    private func outcome(_ token: String, _ authenticator: JWTAuthenticator) -> String {
        do {
            return try authenticator.authenticate(token, peer).subject
        } catch {
            return (error as? RPCError)?.message ?? "\(error)"
        }
    }

    @Test("A token that a key has signed names its subject, its claims and its end")
    func valid() async throws {
        try await withFile(jwks([("a", key)])) { file in
            let authenticator = try await authenticator(file)
            let read = try authenticator.authenticate(try await token(), peer)
            #expect(read.subject == "billing")
            #expect(read.claims == ["iss": "https://id.example", "role": "admin"])
            #expect(read.expires?.nanoseconds == Int64(Claims.now + 630) * 1_000_000_000)
            #expect(outcome(try await token(AudienceText()), authenticator) == "billing")
        }
    }

    @Test("Each claim that does not fit is a reason")
    func claims() async throws {
        let cases: [(Claims, String)] = [
            (.with { $0.exp = nil }, "it has no exp"),
            (.with { $0.exp = Claims.now - 30 }, "it has expired"),
            (.with { $0.exp = Claims.now - 29 }, "billing"),
            (.with { $0.nbf = Claims.now + 31 }, "its nbf has not come"),
            (.with { $0.nbf = Claims.now + 30 }, "billing"),
            (.with { $0.iss = "https://evil.example" }, "it has another issuer"),
            (.with { $0.iss = nil }, "it has another issuer"),
            (.with { $0.aud = ["stock", "orders"] }, "billing"),
            (.with { $0.aud = ["stock"] }, "it is for another audience"),
            (.with { $0.aud = nil }, "it is for another audience"),
            (.with { $0.sub = nil }, "it has no sub"),
            (.with { $0.exp = .max }, "its claims are not valid"),
        ]
        try await withFile(jwks([("a", key)])) { file in
            let authenticator = try await authenticator(file)
            for (claims, expected) in cases {
                #expect(outcome(try await token(claims), authenticator) == expected)
            }
            #expect(
                outcome(try await token(BadTime()), authenticator) == "its claims are not valid")
            // Claims that nobody has signed are not read.
            #expect(
                outcome(try await token(BadTime(), key: ES256PrivateKey()), authenticator)
                    == "its signature is not that of its key")
        }
    }

    @Test("A token is refused unless the key that it names has signed it, as it is")
    func signatures() async throws {
        let other = ES256PrivateKey()
        try await withFile(jwks([("a", key), ("b", other)])) { file in
            let authenticator = try await authenticator(file)
            let wrong = "its signature is not that of its key"
            #expect(outcome(try await token(key: other), authenticator) == wrong)
            #expect(outcome(try await token(key: other, id: "b"), authenticator) == "billing")
            // Without an id all keys are tried.
            #expect(outcome(try await token(key: other, id: nil), authenticator) == "billing")
            #expect(outcome(try await token(id: "c"), authenticator) == "there is no key for it")
            let parts = try await token().split(separator: ".").map(String.init)
            let richer = try await token(Claims.with { $0.role = "root" }).split(separator: ".")
            #expect(outcome("\(parts[0]).\(richer[1]).\(parts[2])", authenticator) == wrong)
            #expect(outcome("\(parts[0]).\(parts[1]).", authenticator) == wrong)
        }
    }

    @Test("A token can't choose an algorithm that its key is not for")
    func algorithms() async throws {
        let x = try #require(key.publicKey.parameters).x
        for algorithm in ["ES256", nil] {
            try await withFile(jwks([("a", key)], algorithm: algorithm)) { file in
                let authenticator = try await authenticator(file)
                #expect(outcome(try await token(), authenticator) == "billing")
                let none = await JWTKeyCollection().addUnsecuredNone()
                let unsigned = try await none.sign(Claims())
                #expect(outcome(unsigned, authenticator) == "there is no key for it")
                // The public key as the secret of an HMAC.
                let hmac = await JWTKeyCollection().add(
                    hmac: HMACKey(from: x), digestAlgorithm: .sha256, kid: "a")
                #expect(
                    outcome(try await hmac.sign(Claims(), kid: "a"), authenticator)
                        == "there is no key for it")
            }
        }
    }

    @Test("An extension of the header that must be understood is refused")
    func critical() async throws {
        try await withFile(jwks([("a", key)])) { file in
            let authenticator = try await authenticator(file)
            var header = JWTHeader()
            header.crit = ["exp"]
            #expect(
                outcome(try await token(header: header), authenticator)
                    == "its header is not supported")
        }
    }

    @Test(
        "What is no token is refused with a reason that does not show it",
        arguments: ["", ".", "..", "a.b", "secret", "a.b.c", "e30.e30.", "e30.e30.e30.e30"])
    func garbage(text: String) async throws {
        try await withFile(jwks([("a", key)])) { file in
            let reason = outcome(text, try await authenticator(file))
            #expect(reason.hasPrefix("it is not a JWT") || reason.hasPrefix("its header"))
        }
    }

    @Test("Keys may be in PEM, too")
    func pem() async throws {
        let first = ES256PrivateKey()
        let (large, edwards) = (ES384PrivateKey(), try EdDSA.PrivateKey())
        let text = [
            first.publicKey.pemRepresentation, key.publicKey.pemRepresentation,
            large.publicKey.pemRepresentation, edwards.publicKey.pemRepresentation,
        ].joined(separator: "\n")
        try await withFile("# issuer\n" + text) { file in
            let authenticator = try await authenticator(file)
            for id in ["a", nil] {
                #expect(outcome(try await token(id: id), authenticator) == "billing")
            }
            let signed = try await JWTKeyCollection().add(ecdsa: large).sign(Claims())
            #expect(outcome(signed, authenticator) == "billing")
            let edwardsSigned = try await JWTKeyCollection().add(eddsa: edwards).sign(Claims())
            #expect(outcome(edwardsSigned, authenticator) == "billing")
        }
    }

    @Test("A reload replaces all keys, or none")
    func reload() async throws {
        let other = ES256PrivateKey()
        try await withFile(jwks([("a", key)])) { file in
            let authenticator = try await authenticator(file)
            let before = authenticator.generation
            try write("{\"keys\":[]}", to: file)
            await #expect(throws: RPCError.self) { try await authenticator.reload() }
            #expect(authenticator.generation == before)
            #expect(outcome(try await token(), authenticator) == "billing")
            try write(jwks([("a", other)]), to: file)
            try await authenticator.reload()
            #expect(authenticator.generation != before)
            #expect(outcome(try await token(key: other), authenticator) == "billing")
            #expect(outcome(try await token(), authenticator) != "billing")
        }
    }

    @Test("A file that can't be used is an error that names it")
    func files() async throws {
        let pem = key.publicKey.pemRepresentation
        let many = try jwks((0..<65).map { ("\($0)", key) })
        for (text, mode, expected) in [
            ("", 0o644, "contains no key"), ("{\"keys\":[]}", 0o644, "contains no key"),
            ("{", 0o644, "is neither a JWKS nor"), (many, 0o644, "has 65 keys; 64 are allowed"),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", 0o644, "is neither"),
            (pem, 0o666, "has the mode 0666; expected 0644"), (pem, 0o664, "has the mode 0664"),
        ] {
            try await withFile(text, mode: mode) { file in
                let error = await #expect(throws: RPCError.self) { try await authenticator(file) }
                #expect(error?.message.contains(file) == true)
                #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
            }
        }
        let missing = await #expect(throws: RPCError.self) { try await authenticator("/no/keys") }
        #expect(missing?.message.contains("/no/keys can't be read") == true)
    }
}
