import RocketSystem

/// A text that is no address, with the part that is wrong and the reason. A value.
public struct NetAddressError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The parts of an address.
    public enum Part: String, Sendable {
        /// The whole text.
        case address
        /// The text before the port.
        case host
        /// The interface after `%`.
        case scope
        /// The number after the last colon.
        case port
        /// The text after `unix:`.
        case path
    }

    /// The whole text.
    public let text: String
    /// The part that is wrong.
    public let part: Part
    /// What is wrong with it.
    public let problem: String

    /// `address "127.0.0.1:x": port "x" is not a number from 0 to 65535`.
    public var description: String {
        let subject = part == .address ? "" : "\(part.rawValue) "
        return "address \"\(text)\": \(subject)\(problem)"
    }
}

extension NetAddress {
    /// Parses `host:port`, `[host%scope]:port`, `unix:/path` or `unix:@name`.
    ///
    /// The system is queried only for the index of a scope that is given by name.
    ///
    /// - Throws: `NetAddressError`.
    public init(parsing text: String) throws(NetAddressError) {
        self = try Self.parse(text)
    }

    /// Creates an address from an IP address without brackets and a port.
    ///
    /// - Throws: `NetAddressError`, part `host` or `scope`.
    public init(ip: String, port: UInt16) throws(NetAddressError) {
        if let bits = IPText.parseIPv4(ip) {
            self.init(.ipv4(bits: bits, port: port))
        } else if ip.contains(":") {
            self = try Self.ipv6(ip, port: port, in: ip)
        } else {
            throw Self.noIPv4(ip, in: ip)
        }
    }

    private static func parse(_ text: String) throws(NetAddressError) -> NetAddress {
        if text.hasPrefix("unix:") { return try unix(String(text.dropFirst(5)), in: text) }
        let bytes = text.utf8
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else {
            throw NetAddressError(
                text: text, part: .address,
                problem: "has no port; expected host:port, [ipv6]:port or unix:/path")
        }
        let host = String(text[..<colon])
        if host.hasPrefix("[") {
            guard host.hasSuffix("]") else {
                throw NetAddressError(
                    text: text, part: .host, problem: "\"\(host)\" has no closing ] before the port"
                )
            }
            let port = try port(String(text[bytes.index(after: colon)...]), in: text)
            return try ipv6(String(host.dropFirst().dropLast()), port: port, in: text)
        }
        if host.contains(":") {
            throw NetAddressError(
                text: text, part: .host,
                problem: "\"\(host)\" looks like IPv6, which needs brackets: [\(host)]:port")
        }
        let port = try port(String(text[bytes.index(after: colon)...]), in: text)
        guard let bits = IPText.parseIPv4(host) else { throw noIPv4(host, in: text) }
        return NetAddress(.ipv4(bits: bits, port: port))
    }

    private static func noIPv4(_ host: String, in text: String) -> NetAddressError {
        NetAddressError(
            text: text, part: .host,
            problem: host.isEmpty ? "is empty" : "\"\(host)\" is not an IP address")
    }

    static func port(_ digits: String, in text: String) throws(NetAddressError) -> UInt16 {
        // UInt16's own parser accepts a leading +.
        guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(digits)
        else {
            throw NetAddressError(
                text: text, part: .port, problem: "\"\(digits)\" is not a number from 0 to 65535")
        }
        return port
    }

    private static func ipv6(_ host: String, port: UInt16, in text: String)
        throws(NetAddressError) -> NetAddress
    {
        let parts = host.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let bits = IPText.parseIPv6(String(first)) else {
            throw NetAddressError(
                text: text, part: .host, problem: "\"\(host)\" is not an IPv6 address")
        }
        var scope: UInt32 = 0
        if parts.count == 2 {
            let name = String(parts[1])
            guard let index = UInt32(name) ?? IPText.interfaceIndex(name), index > 0 else {
                throw NetAddressError(
                    text: text, part: .scope,
                    problem: "\"\(name)\" is neither an interface of this machine nor an index")
            }
            scope = index
        }
        return NetAddress(.ipv6(high: bits.high, low: bits.low, port: port, scope: scope))
    }

    private static func unix(_ path: String, in text: String) throws(NetAddressError)
        -> NetAddress
    {
        let isAbstract = path.hasPrefix("@")
        let name = isAbstract ? String(path.dropFirst()) : path
        let limit = SocketAddress.unixNameLimitBytes
        let problem: String? =
            name.isEmpty
            ? "is empty"
            : name.utf8.contains(0)
                ? "contains a NUL"
                : name.utf8.count > limit
                    ? "has \(name.utf8.count) bytes, the most is \(limit)" : nil
        if let problem { throw NetAddressError(text: text, part: .path, problem: problem) }
        return NetAddress(isAbstract ? .abstract(name: name) : .unix(path: name))
    }
}
