import JWTKit
import RocketSystem

/// The claims of a token, of which nothing is verified yet. A value.
struct TokenClaims: JWTPayload {
    let subject: String?
    let issuer: String?
    let audience: [String]
    let expires: WallTime?
    let notBefore: WallTime?
    /// All claims that are texts, without the subject.
    let texts: [String: String]

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Name.self)
        var texts: [String: String] = [:]
        for name in values.allKeys {
            if let text = try? values.decode(String.self, forKey: name) {
                texts[name.stringValue] = text
            }
        }
        subject = texts.removeValue(forKey: "sub")
        issuer = texts["iss"]
        let audiences = try? values.decode([String].self, forKey: Name(stringValue: "aud"))
        audience = texts["aud"].map { [$0] } ?? audiences ?? []
        expires = try Self.time("exp", values)
        notBefore = try Self.time("nbf", values)
        self.texts = texts
    }

    /// Reads seconds since 1970.
    ///
    /// - Throws: if there is a claim of that name that is no such number: it must not count as absent.
    private static func time(
        _ name: String, _ values: KeyedDecodingContainer<Name>
    ) throws -> WallTime? {
        let key = Name(stringValue: name)
        guard values.contains(key) else { return nil }
        let seconds = try values.decode(Double.self, forKey: key)
        guard abs(seconds) < 9e9 else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: values, debugDescription: "not a time")
        }
        return WallTime(nanoseconds: Int64(seconds * 1e9))
    }

    /// Required of a payload; tokens are only read here.
    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Name.self)
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
            try values.encode(text, forKey: Name(stringValue: name))
        }
    }

    /// `JWTAuthenticator` verifies the claims.
    func verify(using algorithm: some JWTAlgorithm) async throws {}
}
