public import RocketBase
import RocketTCP

/// The name of the servers that a channel calls: an address, or what a resolver finds servers by.
/// See docs/guides/names.md.
public struct RPCTarget: Hashable, Sendable, CustomStringConvertible {
    /// What selects the resolver, in lower case, such as `dns`; `address` for an address.
    public let scheme: String
    /// Who is asked, such as the DNS server in `dns://10.0.0.1/orders:80`; empty: the default.
    public let authority: String
    /// The rest, such as `orders:80`: without the slash behind the authority, except with the scheme
    /// `file`, where it is the path, and begins with that slash.
    public let name: String
    /// The whole text.
    public let description: String

    /// Parses `IP:PORT`, `[IPv6]:PORT`, `unix:PATH`, `unix:@NAME`, `HOST:PORT` (the same as
    /// `dns:///HOST:PORT`), `SCHEME:NAME`, `SCHEME:///NAME` or `SCHEME://AUTHORITY/NAME`.
    /// `file:///PATH` is the same as `file:/PATH`.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR.
    public init(_ text: String) throws(RPCError) {
        description = text
        if let scheme = Self.scheme(of: text), scheme != "unix" {
            self.scheme = scheme
            let rest = text.dropFirst(scheme.utf8.count + 1)
            if rest.hasPrefix("//") {
                let parts = rest.dropFirst(2).split(
                    separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2 else {
                    throw RPCError(
                        .peerAddress,
                        "'\(text)' has no name: expected \(scheme):///NAME or "
                            + "\(scheme)://AUTHORITY/NAME")
                }
                let isPath = scheme == "file" && !parts[1].isEmpty
                (authority, name) = (String(parts[0]), isPath ? "/\(parts[1])" : String(parts[1]))
            } else {
                (authority, name) = ("", String(rest))
            }
            if name.isEmpty { throw RPCError(.peerAddress, "'\(text)' has no name") }
            return
        }
        authority = ""
        name = text
        do {
            _ = try NetAddress(parsing: text)
            scheme = "address"
        } catch {
            // What is meant as an address is told what is wrong with it.
            guard text.first != "[", !text.hasPrefix("unix:"), !Self.isNumeric(text),
                (try? HostPort(parsing: text)) != nil
            else {
                throw RPCError(.peerAddress, "\(error)")
            }
            scheme = "dns"
        }
    }

    /// The address, where it is one.
    var address: NetAddress? { scheme == "address" ? try? NetAddress(parsing: name) : nil }

    /// The scheme of a text that has one: `dns:80` is a host and a port.
    private static func scheme(of text: String) -> String? {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let scheme = text[..<colon].utf8
        let rest = text[text.utf8.index(after: colon)...].utf8
        guard let first = scheme.first, (97...122).contains(first),
            scheme.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }),
            rest.isEmpty || !rest.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return String(text[..<colon])
    }

    /// Whether it looks like an IP address.
    private static func isNumeric(_ text: String) -> Bool {
        text.utf8.allSatisfy { (48...58).contains($0) || $0 == UInt8(ascii: ".") }
    }
}
