import FoundationEssentials
import JWTKit
import RocketBase
import RocketRPC
import RocketSystem

/// The public keys that tokens are verified by. A value.
struct VerificationKeys: Sendable {
    static let maxKeys = 64
    private static let maxFileBytes = 1 << 20

    /// A key with each algorithm that it may be used by: a token can't choose another one.
    private struct Key: Sendable {
        /// nil: a key of a PEM file, for tokens with any id.
        let id: String?
        let algorithms: [any JWTAlgorithm]
    }

    private let keys: [Key]
    private let parser = DefaultJWTParser()

    // MARK: Verifying

    /// Claims are read when the signature is good: reading those of 8 KB takes longer than that, and
    /// anybody can send them.
    private struct NoClaims: JWTPayload {
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    /// Returns the claims of a token, if one of the keys has signed it.
    ///
    /// - Throws: `RPCError` UNAUTHENTICATED.
    func claims(of token: String) throws(RPCError) -> TokenClaims {
        let bytes = [UInt8](token.utf8)
        guard let parts = try? parser.getTokenParts(bytes),
            let (header, _, signature) = try? parser.parse(bytes, as: NoClaims.self)
        else { throw refusal("it is not a JWT") }
        // An extension that must be understood is not.
        guard header.crit == nil, let name = header.alg else {
            throw refusal("its header is not supported")
        }
        let candidates = keys.filter { $0.id == nil || header.kid == nil || $0.id == header.kid }
            .flatMap(\.algorithms).filter { $0.name == name }
        if candidates.isEmpty { throw refusal("there is no key for it") }
        let signed = Array(parts.header) + [UInt8(ascii: ".")] + Array(parts.payload)
        let proof = [UInt8](signature)
        for algorithm in candidates
        where (try? algorithm.verify(proof, signs: signed)) == true {
            guard let (_, claims, _) = try? parser.parse(bytes, as: TokenClaims.self) else {
                throw refusal("its claims are not valid")
            }
            return claims
        }
        throw refusal("its signature is not that of its key")
    }

    // MARK: Reading

    init(file: String) async throws(RPCError) {
        let text = try Self.text(of: file)
        do {
            keys =
                text.first { !$0.isWhitespace } == "{"
                ? try await Self.jwks(text) : try await Self.pem(text)
        } catch {
            throw Self.fault(file, "is neither a JWKS nor public keys in PEM", error)
        }
        if keys.isEmpty {
            throw Self.fault(file, "contains no key that signatures can be verified by")
        }
        if keys.count > Self.maxKeys {
            throw Self.fault(file, "has \(keys.count) keys; \(Self.maxKeys) are allowed")
        }
    }

    private static func fault(
        _ file: String, _ text: String, _ cause: (any Error)? = nil
    ) -> RPCError {
        RPCError(.internal, "the file of keys \(file) \(text)", cause: cause)
    }

    private static func text(of file: String) throws(RPCError) -> String {
        let (bytes, mode): ([UInt8], UInt32)
        do throws(SystemError) {
            mode = try FileSystem.status(of: file)?.mode ?? 0
            bytes = try FileContents.read(file, limit: maxFileBytes)
        } catch {
            throw fault(file, "can't be read", error)
        }
        // Who writes it can make tokens.
        if mode & 0o022 != 0 {
            throw fault(file, "has the mode 0\(String(mode, radix: 8)); expected 0644 or less")
        }
        if bytes.count > maxFileBytes { throw fault(file, "has more than \(maxFileBytes) bytes") }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func jwks(_ text: String) async throws -> [Key] {
        var keys: [Key] = []
        let decoder = DefaultJWTParser().jsonDecoder
        for var jwk in try decoder.decode(JWKS.self, from: Data(text.utf8)).keys {
            let id = jwk.keyIdentifier?.string
            // The collection needs one.
            jwk.keyIdentifier = "key"
            let collection = try await JWTKeyCollection().add(jwk: jwk)
            var algorithms: [any JWTAlgorithm] = []
            for name in names(for: jwk) {
                if let found = try? await collection.getKey(for: "key", alg: name),
                    found.name == name
                {
                    algorithms.append(found)
                }
            }
            // Those without are keys for encryption, for example.
            if !algorithms.isEmpty { keys.append(Key(id: id, algorithms: algorithms)) }
        }
        return keys
    }

    /// The algorithms that a key may be used by: its own, or all of its type.
    private static func names(for jwk: JWK) -> [String] {
        if let own = jwk.algorithm { return [own.rawValue] }
        switch jwk.keyType {
        case .rsa: return ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
        case .ecdsa:
            let names = ["P-256": "ES256", "P-384": "ES384", "P-521": "ES512"]
            return jwk.curve.flatMap { names[$0.rawValue] }.map { [$0] } ?? []
        case .octetKeyPair: return ["EdDSA"]
        default: return []
        }
    }

    private static func pem(_ text: String) async throws -> [Key] {
        var keys: [Key] = []
        let (begin, end) = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----")
        // What is outside of the blocks are comments.
        for block in text.split(separator: begin, omittingEmptySubsequences: false).dropFirst() {
            let body = block.split(separator: end, omittingEmptySubsequences: false).first ?? ""
            keys.append(Key(id: nil, algorithms: try await algorithms(begin + body + end)))
        }
        return keys
    }

    private static func algorithms(_ pem: String) async throws -> [any JWTAlgorithm] {
        let one = JWTKeyCollection()
        if let key = try? ES256PublicKey(pem: pem) {
            return [try await one.add(ecdsa: key).getKey()]
        }
        if let key = try? ES384PublicKey(pem: pem) {
            return [try await one.add(ecdsa: key).getKey()]
        }
        if let key = try? ES512PublicKey(pem: pem) {
            return [try await one.add(ecdsa: key).getKey()]
        }
        if let key = try? EdDSA.PublicKey(pem: pem) {
            return [try await one.add(eddsa: key).getKey()]
        }
        let key = try Insecure.RSA.PublicKey(pem: pem)
        return [
            try await one.add(rsa: key, digestAlgorithm: .sha256).getKey(),
            try await JWTKeyCollection().add(pss: key, digestAlgorithm: .sha256).getKey(),
        ]
    }
}
