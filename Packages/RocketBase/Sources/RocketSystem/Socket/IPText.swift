import CRocketSystem

/// IP addresses and interface names as text, in the standard's own forms (RFC 5952 for IPv6).
public enum IPText {
    /// `192.0.2.1`, four decimal parts; nil for anything else.
    public static func parseIPv4(_ text: String) -> UInt32? {
        var bits: UInt32 = 0
        // SAFETY: writes one UInt32; the text is NUL-terminated by the bridge.
        return unsafe rocket_parse_ipv4(text, &bits) == 0 ? bits : nil
    }

    /// `2001:db8::1`, without brackets and scope; nil for anything else.
    public static func parseIPv6(_ text: String) -> (high: UInt64, low: UInt64)? {
        var (high, low): (UInt64, UInt64) = (0, 0)
        // SAFETY: as above.
        return unsafe rocket_parse_ipv6(text, &high, &low) == 0 ? (high, low) : nil
    }

    /// The text of an IPv4 address given in host order.
    public static func ipv4(_ bits: UInt32) -> String {
        unsafe text { unsafe rocket_print_ipv4(bits, $0) }
    }

    /// The shortest text of an IPv6 address.
    public static func ipv6(high: UInt64, low: UInt64) -> String {
        unsafe text { unsafe rocket_print_ipv6(high, low, $0) }
    }

    /// The index of the network interface of that name on this machine, nil when there is none.
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
