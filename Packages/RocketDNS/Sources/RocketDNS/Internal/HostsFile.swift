import RocketSystem

/// The contents of a hosts file (hosts(5)). A value: its bytes, which each lookup reads.
struct HostsFile {
    /// What is read of a file; lines beyond are ignored.
    static let limitBytes = 1 << 20

    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = Array(bytes.prefix(Self.limitBytes)) }

    /// The addresses of a name, in the order of the file. Case does not matter.
    func addresses(of name: String, families: DNSFamilies) -> [SocketAddress] {
        let wanted = Array(HostName.normalized(name).utf8)
        var found: [SocketAddress] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.prefix { $0 != UInt8(ascii: "#") }.split { $0 <= 0x20 }
            guard let first = fields.first,
                fields.dropFirst().contains(where: { Self.isEqual($0, wanted) }),
                let address = Literal.parse(String(decoding: first, as: UTF8.self), port: 0),
                address.isOf(families), !found.contains(address)
            else { continue }
            found.append(address)
        }
        return found
    }

    private static func isEqual(_ field: ArraySlice<UInt8>, _ lowercase: [UInt8]) -> Bool {
        field.count == lowercase.count
            && zip(field, lowercase).allSatisfy { byte, other in
                byte == other || (65...90).contains(byte) && byte | 0x20 == other
            }
    }
}

/// IP addresses as text.
enum Literal {
    /// Parses an IPv4 or IPv6 address without brackets; a scope may follow `%`. Nil: it is another text.
    static func parse(_ text: String, port: UInt16) -> SocketAddress? {
        if let bits = IPText.parseIPv4(text) { return .ipv4(bits: bits, port: port) }
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first, let bits = IPText.parseIPv6(String(host)) else { return nil }
        var scope: UInt32 = 0
        if parts.count == 2 {
            let name = String(parts[1])
            guard let index = UInt32(name) ?? IPText.interfaceIndex(name) else { return nil }
            scope = index
        }
        return .ipv6(high: bits.high, low: bits.low, port: port, scope: scope)
    }
}

extension SocketAddress {
    /// Whether it is an IP address of one of these families.
    func isOf(_ families: DNSFamilies) -> Bool {
        switch self {
        case .ipv4: families.contains(.ipv4)
        case .ipv6: families.contains(.ipv6)
        case .unix, .abstract, .unnamed: false
        }
    }

    func withPort(_ port: UInt16) -> SocketAddress {
        switch self {
        case .ipv4(let bits, _): .ipv4(bits: bits, port: port)
        case .ipv6(let high, let low, _, let scope):
            .ipv6(high: high, low: low, port: port, scope: scope)
        case .unix, .abstract, .unnamed: self
        }
    }
}
