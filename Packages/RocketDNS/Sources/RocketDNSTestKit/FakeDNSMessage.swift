import RocketSystem

/// A question that a `FakeDNSServer` has received. A value.
public struct FakeDNSQuestion: Hashable, Sendable {
    /// The name, as it was written in the query.
    public let name: String
    /// The number of the type: 1 A, 28 AAAA, 33 SRV.
    public let type: UInt16
    /// Whether it came over TCP.
    public let isTCP: Bool
    /// The whole query.
    public let bytes: [UInt8]

    /// Parses a query; nil: it is malformed.
    init?(_ bytes: [UInt8], isTCP: Bool) {
        guard bytes.count > 12 else { return nil }
        var labels: [String] = []
        var at = 12
        while at < bytes.count, bytes[at] != 0 {
            let end = at + 1 + Int(bytes[at])
            guard end < bytes.count else { return nil }
            labels.append(String(decoding: bytes[at + 1..<end], as: UTF8.self))
            at = end
        }
        guard at + 4 < bytes.count else { return nil }
        name = labels.joined(separator: ".")
        type = UInt16(bytes[at + 1]) << 8 | UInt16(bytes[at + 2])
        self.isTCP = isTCP
        self.bytes = bytes
    }

    /// Returns an answer to the question.
    ///
    /// - Parameters:
    ///   - code: 0: success, 2: SERVFAIL, 3: NXDOMAIN, 5: REFUSED.
    ///   - isTruncated: sets TC, which makes the client ask over TCP.
    public func reply(
        code: UInt8 = 0, isTruncated: Bool = false, _ answers: [FakeDNSRecord] = [],
        authorities: [FakeDNSRecord] = []
    ) -> [UInt8] {
        var message = Array(bytes.prefix(2))
        message += [isTruncated ? 0x87 : 0x85, 0x80 | code, 0, 1]
        message += FakeDNSRecord.bytes(UInt16(clamping: answers.count))
        message += FakeDNSRecord.bytes(UInt16(clamping: authorities.count)) + [0, 0]
        message += FakeDNSRecord.name(name) + FakeDNSRecord.bytes(type) + [0, 1]
        for record in answers + authorities { message += record.bytes }
        return message
    }
}

/// A record of an answer. A value.
public struct FakeDNSRecord: Hashable, Sendable {
    /// Its bytes, without compression.
    public let bytes: [UInt8]

    /// Creates a record of any type.
    public init(_ owner: String, type: UInt16, ttl: UInt32, data: [UInt8]) {
        bytes =
            Self.name(owner) + Self.bytes(type) + [0, 1] + Self.bytes(ttl)
            + Self.bytes(UInt16(clamping: data.count)) + data
    }

    /// An IPv4 address. Traps if the text is none.
    public static func a(_ owner: String, _ address: String, ttl: UInt32) -> FakeDNSRecord {
        guard let bits = IPText.parseIPv4(address) else { preconditionFailure(address) }
        return FakeDNSRecord(owner, type: 1, ttl: ttl, data: bytes(bits))
    }

    /// An IPv6 address. Traps if the text is none.
    public static func aaaa(_ owner: String, _ address: String, ttl: UInt32) -> FakeDNSRecord {
        guard let bits = IPText.parseIPv6(address) else { preconditionFailure(address) }
        return FakeDNSRecord(owner, type: 28, ttl: ttl, data: bytes(bits.high) + bytes(bits.low))
    }

    /// An alias.
    public static func cname(_ owner: String, _ target: String, ttl: UInt32) -> FakeDNSRecord {
        FakeDNSRecord(owner, type: 5, ttl: ttl, data: name(target))
    }

    /// A server of a service.
    public static func srv(
        _ owner: String, _ priority: UInt16, _ weight: UInt16, _ port: UInt16, _ target: String,
        ttl: UInt32
    ) -> FakeDNSRecord {
        FakeDNSRecord(
            owner, type: 33, ttl: ttl,
            data: bytes(priority) + bytes(weight) + bytes(port) + name(target))
    }

    /// The record that says how long a negative answer is valid.
    public static func soa(_ owner: String, minimum: UInt32, ttl: UInt32) -> FakeDNSRecord {
        let numbers = [1, 3_600, 600, 86_400, minimum].flatMap { bytes(UInt32($0)) }
        return FakeDNSRecord(
            owner, type: 6, ttl: ttl, data: name("ns.example") + name("admin.example") + numbers)
    }

    /// The bytes of a name, without compression.
    public static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    /// The bytes of a number, the highest first.
    public static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        stride(from: Number.bitWidth - 8, through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: number >> $0)
        }
    }
}
