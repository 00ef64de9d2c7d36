/// The rules for names that are looked up. Pure functions.
enum HostName {
    /// Whether the text is a name that DNS may have: labels of 1 to 63 bytes of printable ASCII, 253 in
    /// all, one dot at the end allowed. No backslash: c-ares begins escapes with it.
    static func isValid(_ name: String) -> Bool {
        var bytes = Array(name.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        if bytes.isEmpty || bytes.count > 253 { return false }
        return bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .allSatisfy { label in
                (1...63).contains(label.count)
                    && label.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
            }
    }

    /// The name in lower case without the dot at its end, for comparisons.
    static func normalized(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }

    /// Whether it names this machine by RFC 6761: such names are never asked for.
    static func isLocalhost(_ name: String) -> Bool {
        let name = normalized(name)
        return name == "localhost" || name.hasSuffix(".localhost")
    }

    /// Whether it has no meaning in DNS by RFC 7686.
    static func isOnion(_ name: String) -> Bool {
        let name = normalized(name)
        return name == "onion" || name.hasSuffix(".onion")
    }
}

/// The names that are asked for in place of a relative one, as resolv.conf(5) describes. A value.
struct SearchList: Hashable {
    var domains: [String]
    /// A name with so many dots is asked for as it is first, otherwise last.
    var dots: Int

    /// How many domains are used; glibc has 6 by tradition.
    static let limit = 16

    func candidates(_ name: String) -> [String] {
        if name.hasSuffix(".") { return [String(name.dropLast())] }
        let searched = domains.prefix(Self.limit).map { domain in
            // A domain "." is the root.
            domain == "." ? name : "\(name).\(domain)"
        }.filter(HostName.isValid)
        let count = name.utf8.count { $0 == UInt8(ascii: ".") }
        let all = count >= dots ? [name] + searched : searched + [name]
        var result: [String] = []
        for candidate in all where !result.contains(candidate) { result.append(candidate) }
        return result
    }
}
