import CRocketSystem

/// Converts IP addresses to and from text, in the standard forms (RFC 5952 for IPv6).
public enum IPText {
    /// Parses an IPv4 address in four decimal parts, such as `192.0.2.1`; nil for any other text.
    public static func parseIPv4(_ text: String) -> UInt32? {
        var bits: UInt32 = 0
        // SAFETY: writes one UInt32; the text is NUL-terminated by the bridge.
        return unsafe rocket_parse_ipv4(text, &bits) == 0 ? bits : nil
    }

    /// Parses an IPv6 address without brackets and scope, such as `2001:db8::1`; nil for any other
    /// text.
    public static func parseIPv6(_ text: String) -> (high: UInt64, low: UInt64)? {
        var (high, low): (UInt64, UInt64) = (0, 0)
        // SAFETY: as above.
        return unsafe rocket_parse_ipv6(text, &high, &low) == 0 ? (high, low) : nil
    }

    /// Returns the text of an IPv4 address in host byte order.
    public static func ipv4(_ bits: UInt32) -> String {
        unsafe text { unsafe rocket_print_ipv4(bits, $0) }
    }

    /// Returns the shortest text of an IPv6 address.
    public static func ipv6(high: UInt64, low: UInt64) -> String {
        unsafe text { unsafe rocket_print_ipv6(high, low, $0) }
    }

    /// Returns the index of the network interface with this name; nil when there is none.
    public static func interfaceIndex(_ name: String) -> UInt32? {
        let index = unsafe rocket_interface_index(name)
        return index == 0 ? nil : index
    }

    private static func text(_ fill: (UnsafeMutablePointer<CChar>) -> Void) -> String {
        // SAFETY: 46 bytes hold every IP address and its NUL.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { space in
            guard let base = space.baseAddress else { return "" }
            unsafe base.initialize(repeating: 0, count: 64)
            unsafe fill(base)
            return unsafe String(cString: base)
        }
    }
}

/// The family of a numeric IP address.
public enum IPLiteral: Sendable {
    case v4, v6

    /// Determines the family of the address in `text` (inet_pton(3)); nil when it is not a numeric
    /// address: a host name, an address with a port, leading zeros.
    public init?(_ text: String) {
        if IPText.parseIPv4(text) != nil {
            self = .v4
        } else if IPText.parseIPv6(text) != nil {
            self = .v6
        } else {
            return nil
        }
    }
}
