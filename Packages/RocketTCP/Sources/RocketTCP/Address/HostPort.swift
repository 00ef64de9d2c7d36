/// A host name and a port, which a `HostLookup` resolves to `NetAddress`es. A value; any thread.
public struct HostPort: Hashable, Sendable, CustomStringConvertible {
    /// The name, or an IP address without brackets.
    public let host: String
    /// The port.
    public let port: UInt16

    /// Creates it from its parts, unchecked.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Parses `name:port`. For a text that may be an address, try `NetAddress(parsing:)` first.
    ///
    /// - Throws: `NetAddressError` with the part that is wrong.
    public init(parsing text: String) throws(NetAddressError) {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else {
            throw NetAddressError(
                text: text, part: .address, problem: "has no port; expected host:port")
        }
        let host = String(text[..<colon])
        if let problem = Self.problem(with: host) {
            throw NetAddressError(text: text, part: .host, problem: problem)
        }
        self.host = host
        port = try NetAddress.port(
            String(text[text.utf8.index(after: colon)...]), in: text)
    }

    private static func problem(with host: String) -> String? {
        if host.isEmpty { return "is empty" }
        if host.utf8.count > 253 { return "has \(host.utf8.count) bytes, the most is 253" }
        let isSound = host.utf8.allSatisfy { byte in
            byte > 0x20 && byte != 0x7F && byte != UInt8(ascii: ":") && byte != UInt8(ascii: "/")
        }
        return isSound ? nil : "\"\(host)\" has characters that are not allowed in a name"
    }

    /// `name:port`.
    public var description: String { "\(host):\(port)" }
}
