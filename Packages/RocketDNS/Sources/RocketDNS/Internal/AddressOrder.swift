import RocketSystem

/// The order in which a client should try addresses: RFC 6724, 6, rules 1, 2, 5, 6, 8, 9 and 10. (3, 4
/// and 7 need what the kernel does not tell cheaply.) Pure functions.
enum AddressOrder {
    /// Sorts addresses.
    ///
    /// - Parameter source: the address that packets to this one are sent from; nil: there is no route.
    static func sorted<Element>(
        _ elements: [Element], address: (Element) -> SocketAddress,
        source: (SocketAddress) -> SocketAddress?
    ) -> [Element] {
        let ranked = elements.enumerated().map { index, element in
            let target = address(element)
            return Ranked(
                index: index, target: IPNumber(target), source: source(target).map(IPNumber.init))
        }
        return ranked.sorted { $0.precedes($1) }.map { elements[$0.index] }
    }

    private struct Ranked {
        var index: Int
        var target: IPNumber
        var source: IPNumber?

        func precedes(_ other: Ranked) -> Bool {
            // 1: what can't be reached comes last.
            if (source != nil) != (other.source != nil) { return source != nil }
            if let source, let otherSource = other.source {
                // 2: source and target of the same scope.
                let isEqual = target.scope == source.scope
                if isEqual != (other.target.scope == otherSource.scope) { return isEqual }
                // 5: source and target with the same label.
                let isLike = target.policy.label == source.policy.label
                if isLike != (other.target.policy.label == otherSource.policy.label) {
                    return isLike
                }
            }
            // 6: higher precedence.
            if target.policy.precedence != other.target.policy.precedence {
                return target.policy.precedence > other.target.policy.precedence
            }
            // 8: smaller scope.
            if target.scope != other.target.scope { return target.scope < other.target.scope }
            // 9: the longest prefix in common with the source; of IPv6, as others have it.
            if let source, let otherSource = other.source, !target.isIPv4, !other.target.isIPv4 {
                let shared = target.sharedPrefix(source)
                let otherShared = other.target.sharedPrefix(otherSource)
                if shared != otherShared { return shared > otherShared }
            }
            // 10: as it was.
            return index < other.index
        }
    }
}

/// An IP address as 128 bits; IPv4 as `::ffff:a.b.c.d`. A value.
struct IPNumber: Hashable {
    var high: UInt64
    var low: UInt64

    init(_ address: SocketAddress) {
        switch address {
        case .ipv4(let bits, _): (high, low) = (0, 0xFFFF_0000_0000 | UInt64(bits))
        case .ipv6(let high, let low, _, _): (self.high, self.low) = (high, low)
        case .unix, .abstract, .unnamed: (high, low) = (0, 0)
        }
    }

    var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// The scope: 2 of a link, 5 of a site, 14 global (RFC 6724, 3.1 and 3.2).
    var scope: Int {
        if isIPv4 {
            let bits = UInt32(truncatingIfNeeded: low)
            return bits >> 24 == 127 || bits >> 16 == 0xA9FE ? 2 : 14
        }
        if high >> 56 == 0xFF { return Int(high >> 48 & 15) }
        if high == 0 && low == 1 || high >> 54 == 0xFE80 >> 6 { return 2 }
        return high >> 54 == 0xFEC0 >> 6 ? 5 : 14
    }

    /// The row of the default policy table (RFC 6724, 2.1) with the longest prefix.
    var policy: (precedence: Int, label: Int) {
        if high == 0 && low == 1 { return (50, 0) }
        if isIPv4 { return (35, 4) }
        if high == 0 && low >> 32 == 0 { return (1, 3) }
        if high >> 32 == 0x2001_0000 { return (5, 5) }
        if high >> 48 == 0x2002 { return (30, 2) }
        if high >> 48 == 0x3FFE { return (1, 12) }
        if high >> 54 == 0xFEC0 >> 6 { return (1, 11) }
        return high >> 57 == 0xFC >> 1 ? (3, 13) : (40, 1)
    }

    /// How many bits of the first 64 are the same: what follows is of the host.
    func sharedPrefix(_ other: IPNumber) -> Int { (high ^ other.high).leadingZeroBitCount }
}
