public import RocketTCP

/// Where a NATS server listens. A value.
public enum NATSServer: Hashable, Sendable, CustomStringConvertible {
    /// An IP address, or a Unix socket in tests.
    case address(NetAddress)
    /// A name, which is looked up for each attempt to connect.
    case host(HostPort)

    /// The port without one in a URL.
    public static let defaultPort: UInt16 = 4222

    /// Parses `host:port`, or `host`, as URLs and `INFO` have them.
    ///
    /// - Throws: the part that is wrong.
    public init(parsing text: String) throws(NATSConfigurationError) {
        let hasPort = text.utf8.last != UInt8(ascii: "]") && text.utf8.contains(UInt8(ascii: ":"))
        let full = hasPort ? text : "\(text):\(Self.defaultPort)"
        if let address = try? NetAddress(parsing: full), !address.isUnix {
            self = .address(address)
            return
        }
        do throws(NetAddressError) {
            self = .host(try HostPort(parsing: full))
        } catch { throw NATSConfigurationError("\(error)") }
    }

    /// `host:port`.
    public var description: String {
        switch self {
        case .address(let address): address.description
        case .host(let host): host.description
        }
    }
}

/// The servers of one cluster, as a URL: `nats://a:4222`, `nats://name:password@a,b:4223`,
/// `tls://token@a`. A value.
public struct NATSURL: Hashable, Sendable {
    /// At least one, in the order in which they are tried.
    public var servers: [NATSServer] = []
    /// Whether the connections must be protected: `tls://`.
    public var requiresTLS: Bool
    /// The name before the `@`, or the token if there is no password; empty: none.
    public var user = ""
    /// The password before the `@`; nil: there is none.
    public var password: String?

    /// The most servers of a URL.
    public static let maxServers = 64

    /// Parses a URL. User and password may be percent-encoded.
    ///
    /// - Throws: the part that is wrong; never the password.
    public init(parsing text: String) throws(NATSConfigurationError) {
        let parts = Self.split(text, at: "://")
        switch (parts.count, parts[0]) {
        case (2, "nats"): requiresTLS = false
        case (2, "tls"): requiresTLS = true
        default:
            throw NATSConfigurationError("a URL of NATS begins with nats:// or tls://")
        }
        var rest = parts[1]
        if let at = rest.lastIndex(of: "@") {
            let words = rest[..<at].split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = try Self.decoded(words[0])
            if words.count == 2 { password = try Self.decoded(words[1]) }
            rest = String(rest[rest.index(after: at)...])
        }
        if rest.hasSuffix("/") { rest.removeLast() }
        let names = rest.split(separator: ",", omittingEmptySubsequences: false)
        guard names.count <= Self.maxServers else {
            throw NATSConfigurationError(
                "\(names.count) servers, allowed are \(Self.maxServers)")
        }
        for name in names { servers.append(try NATSServer(parsing: String(name))) }
    }

    /// What the part before the `@` is worth.
    public var credentials: NATSCredentials {
        if let password { return .user(user, password: password) }
        return user.isEmpty ? .none : .token(user)
    }

    private static func split(_ text: String, at separator: String) -> [String] {
        guard let range = text.firstRange(of: separator) else { return [text] }
        return [String(text[..<range.lowerBound]), String(text[range.upperBound...])]
    }

    private static func decoded(_ text: Substring) throws(NATSConfigurationError) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else {
                throw NATSConfigurationError("a % before the @ is not followed by two digits")
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw NATSConfigurationError("what is before the @ is not UTF-8")
        }
        return decoded
    }
}
