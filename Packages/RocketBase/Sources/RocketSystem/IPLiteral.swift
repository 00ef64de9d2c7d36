import Glibc

/// The two kinds of IP address that a literal can be.
public enum IPLiteral: Sendable {
    case v4, v6

    /// What kind of numeric address the text is (inet_pton(3)); nil when it is none: a host
    /// name, a port behind it, leading zeros.
    public init?(_ text: String) {
        var address = in6_addr()
        // SAFETY: in6_addr is large enough for both families.
        if unsafe inet_pton(AF_INET, text, &address) == 1 {
            self = .v4
        } else if unsafe inet_pton(AF_INET6, text, &address) == 1 {
            self = .v6
        } else {
            return nil
        }
    }
}
