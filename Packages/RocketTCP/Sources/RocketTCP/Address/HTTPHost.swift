import RocketSystem

/// What the field Host of a request of HTTP says: a name or an IP address, with a port or without.
///
/// Servers that only this machine reaches check it: a page of another site, whose name its owner lets
/// resolve to a loopback address, could read them (DNS rebinding). A value.
public struct HTTPHost: Hashable, Sendable {
    /// The name in lower case, or the IP address without brackets; empty for a value that is invalid.
    public let name: String

    /// Reads the value of the field.
    public init(_ field: String) { name = Self.withoutPort(field).lowercased() }

    /// Whether it is `localhost` or a loopback address.
    public var isLoopback: Bool {
        if name == "localhost" { return true }
        return (try? NetAddress(ip: name, port: 0))?.isLoopback ?? false
    }

    private static func withoutPort(_ host: String) -> String {
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return "" }
            let rest = host[host.index(after: end)...]
            guard rest.isEmpty || isPort(rest.dropFirst()) && rest.first == ":" else { return "" }
            return String(host[host.index(after: host.startIndex)..<end])
        }
        guard let colon = host.lastIndex(of: ":") else { return host }
        return isPort(host[host.index(after: colon)...]) ? String(host[..<colon]) : ""
    }

    private static func isPort(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
    }
}

extension NetAddress {
    /// Whether only this machine reaches it: 127.0.0.0/8 or ::1, also as an IPv4 address in IPv6.
    public var isLoopback: Bool {
        switch unmapped.socketAddress {
        case .ipv4(let bits, _): bits >> 24 == 127
        case .ipv6(let high, let low, _, _): high == 0 && low == 1
        case .unix, .abstract, .unnamed: false
        }
    }
}
