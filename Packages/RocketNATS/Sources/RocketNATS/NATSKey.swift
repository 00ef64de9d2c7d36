import RocketBase
import RocketTLS

/// The NKEY of a user, made of its seed (`SU…`), which signs what a server asks for. Its public part
/// is in the server's configuration. A value; any thread.
public struct NATSKey: Sendable {
    /// The public key, as it is in a server's configuration: `U…`.
    public let publicKey: String
    private let key: Ed25519Key

    /// Reads a seed.
    ///
    /// - Parameter seed: 58 characters, as `nk -gen user` prints them; blanks around it don't count.
    /// - Throws: what is wrong with it; never the seed itself.
    public init(seed: String) throws(NATSConfigurationError) {
        let text = seed.utf8.filter { $0 > 0x20 }
        guard let bytes = Radix.base32.decode(text), bytes.count == Self.seedBytes else {
            throw NATSConfigurationError("an NKEY's seed has 58 characters from A to Z and 2 to 7")
        }
        let (content, checksum) = (bytes.prefix(bytes.count - 2), bytes.suffix(2))
        guard Array(checksum) == Self.checksum(of: content) else {
            throw NATSConfigurationError("the checksum of the NKEY's seed is wrong")
        }
        // The kinds of the key are 5 bits each, over the first two bytes.
        guard bytes[0] & 0xF8 == Self.seedKind,
            bytes[0] << 5 | bytes[1] >> 3 == Self.userKind
        else {
            throw NATSConfigurationError("the NKEY is no seed of a user: it begins with SU")
        }
        do throws(TransportSecurityError) {
            key = try Ed25519Key(seed: Array(content.dropFirst(2)))
        } catch { throw NATSConfigurationError("the NKEY can't be used: \(error)") }
        let named = [Self.userKind] + key.publicKey
        publicKey = Radix.base32.encode(named + Self.checksum(of: named[...]))
    }

    /// Returns the signature of a server's nonce, as `CONNECT` has it.
    func signature(of nonce: String) throws(TransportSecurityError) -> String {
        Radix.base64URL.encode(try key.signature(of: Array(nonce.utf8)))
    }

    /// Two bytes of kinds, the seed, two bytes of checksum.
    private static let seedBytes = 2 + Ed25519Key.byteCount + 2
    private static let seedKind: UInt8 = 18 << 3
    private static let userKind: UInt8 = 20 << 3

    /// Returns CRC-16/XMODEM, the low byte first.
    private static func checksum(of bytes: ArraySlice<UInt8>) -> [UInt8] {
        var sum = UInt16(0)
        for byte in bytes {
            sum ^= UInt16(byte) << 8
            for _ in 0..<8 { sum = sum & 0x8000 == 0 ? sum << 1 : sum << 1 ^ 0x1021 }
        }
        return [UInt8(truncatingIfNeeded: sum), UInt8(truncatingIfNeeded: sum >> 8)]
    }
}

/// How a client proves who it is. A value.
public enum NATSCredentials: Sendable {
    /// It does not.
    case none
    /// By a token that the server knows.
    case token(String)
    /// By a name and a password.
    case user(String, password: String)
    /// By signing what the server asks for.
    case key(NATSKey)

    /// Returns the members of `CONNECT` that it needs, each behind a comma.
    ///
    /// - Throws: text of why the server can't be answered.
    func members(nonce: String) throws(NATSConfigurationError) -> String {
        switch self {
        case .none: return ""
        case .token(let token): return ",\"auth_token\":\(JSONObject.quoted(token))"
        case .user(let name, let password):
            return ",\"user\":\(JSONObject.quoted(name)),\"pass\":\(JSONObject.quoted(password))"
        case .key(let key):
            // A server without NKEYs sends none, and decides by what else it knows.
            if nonce.isEmpty { return ",\"nkey\":\"\(key.publicKey)\"" }
            do throws(TransportSecurityError) {
                let signature = try key.signature(of: nonce)
                return ",\"nkey\":\"\(key.publicKey)\",\"sig\":\"\(signature)\""
            } catch { throw NATSConfigurationError("the nonce can't be signed: \(error)") }
        }
    }
}
