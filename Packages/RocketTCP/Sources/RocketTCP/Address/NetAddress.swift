public import RocketSystem

/// The address of a listener or a peer, in the form that people read and write.
///
/// ```
/// 127.0.0.1:12345      IPv4
/// [::1]:80             IPv6; with a scope [fe80::1%eth0]:80 or [fe80::1%2]:80
/// unix:/run/rocket     a path
/// unix:@rocket         a name in Linux's abstract namespace
/// ```
///
/// Host names are no addresses: a `HostLookup` finds those of clients, `ListenAddresses` those of
/// servers. A value; any thread.
public struct NetAddress: Hashable, Sendable {
    /// The address in the form of the kernel.
    public let socketAddress: SocketAddress

    /// Wraps an address of the system.
    public init(_ socketAddress: SocketAddress) { self.socketAddress = socketAddress }

    /// Returns 127.0.0.1, which only this machine reaches. The kernel chooses a port in place of 0.
    public static func loopback(port: UInt16) -> NetAddress {
        NetAddress(.ipv4(bits: 0x7F00_0001, port: port))
    }

    /// The port; nil for Unix sockets.
    public var port: UInt16? {
        switch socketAddress {
        case .ipv4(_, let port), .ipv6(_, _, let port, _): port
        case .unix, .abstract, .unnamed: nil
        }
    }

    /// Returns the same host with another port; a Unix address unchanged.
    public func withPort(_ port: UInt16) -> NetAddress {
        switch socketAddress {
        case .ipv4(let bits, _): NetAddress(.ipv4(bits: bits, port: port))
        case .ipv6(let high, let low, _, let scope):
            NetAddress(.ipv6(high: high, low: low, port: port, scope: scope))
        case .unix, .abstract, .unnamed: self
        }
    }

    /// Whether it is the address of a Unix socket of any kind.
    public var isUnix: Bool { port == nil }

    /// An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`, as of IPv4 peers of a dual-stack listener)
    /// as IPv4; any other address unchanged.
    public var unmapped: NetAddress {
        guard case .ipv6(0, let low, let port, _) = socketAddress, low >> 32 == 0xFFFF else {
            return self
        }
        return NetAddress(.ipv4(bits: UInt32(truncatingIfNeeded: low), port: port))
    }
}

extension NetAddress: CustomStringConvertible {
    /// The text that `init(parsing:)` accepts; `unix:` for the unnamed end of a Unix socket.
    public var description: String {
        switch socketAddress {
        case .ipv4(let bits, let port): "\(IPText.ipv4(bits)):\(port)"
        case .ipv6(let high, let low, let port, let scope):
            "[\(IPText.ipv6(high: high, low: low))\(scope == 0 ? "" : "%\(scope)")]:\(port)"
        // A path that begins with @ would be parsed as an abstract name.
        case .unix(let path): path.hasPrefix("@") ? "unix:./\(path)" : "unix:\(path)"
        case .abstract(let name): "unix:@\(name)"
        case .unnamed: "unix:"
        }
    }

    /// The host without port and brackets; for Unix sockets the whole text.
    public var host: String {
        switch socketAddress {
        case .ipv4(let bits, _): IPText.ipv4(bits)
        case .ipv6(let high, let low, _, let scope):
            IPText.ipv6(high: high, low: low) + (scope == 0 ? "" : "%\(scope)")
        case .unix, .abstract, .unnamed: description
        }
    }
}
