public import RocketSystem

/// What an X.509 certificate says. A value.
public struct X509Certificate: Hashable, Sendable {
    /// Its subject, as `CN=orders,O=Example` (RFC 2253); at most 1023 bytes of it.
    public let subject: String
    /// Its DNS names, in their order.
    public let dnsNames: [String]
    /// Its URIs, in their order: `spiffe://example/orders`.
    public let uris: [String]
    /// Its IP addresses, in their order: `10.0.0.1`, `fd00::1`.
    public let ipAddresses: [String]
    /// The SHA-256 of its DER form.
    public let fingerprint: X509Fingerprint
    /// Its serial number, in hexadecimal digits.
    public let serial: String
    /// From when to when it is valid.
    public let notBefore, notAfter: WallTime

    /// Creates one from what was read of it.
    public init(
        subject: String, dnsNames: [String] = [], uris: [String] = [],
        ipAddresses: [String] = [],
        fingerprint: X509Fingerprint, serial: String, notBefore: WallTime, notAfter: WallTime
    ) {
        self.subject = subject
        self.dnsNames = dnsNames
        self.uris = uris
        self.ipAddresses = ipAddresses
        self.fingerprint = fingerprint
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}

/// The SHA-256 of a certificate's DER form. A value.
public struct X509Fingerprint: Hashable, Sendable, CustomStringConvertible {
    /// Its 32 bytes.
    public let bytes: [UInt8]

    /// Creates one of 32 bytes; nil: there are not as many.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// Reads 64 hexadecimal digits, with or without colons between the bytes; nil: it is something
    /// else.
    public init?(_ text: String) {
        let digits = text.utf8.filter { $0 != UInt8(ascii: ":") }
        let values = digits.compactMap { Self.value(of: $0) }
        guard digits.count == 64, values.count == 64 else { return nil }
        bytes = stride(from: 0, to: 64, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }

    private static func value(of digit: UInt8) -> UInt8? {
        Character(UnicodeScalar(digit)).hexDigitValue.map { UInt8($0) }
    }

    /// 64 hexadecimal digits.
    public var description: String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
