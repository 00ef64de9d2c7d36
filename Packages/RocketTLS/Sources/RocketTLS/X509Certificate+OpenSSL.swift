import COpenSSL
import CRocketTLS
public import RocketSystem

/// What a certificate says. A value.
public struct TLSCertificate: Hashable, Sendable {
    /// Its subject, as `CN=orders,O=Example` (RFC 2253); at most 1023 bytes of it.
    public let subject: String
    /// Its DNS names, in their order.
    public private(set) var dnsNames: [String] = []
    /// Its URIs, in their order: `spiffe://example/orders`.
    public private(set) var uris: [String] = []
    /// The SHA-256 of its DER form.
    public let fingerprint: TLSFingerprint
    /// Its serial number, in hexadecimal digits.
    public let serial: String
    /// From when to when it is valid.
    public let notBefore, notAfter: WallTime

    init(_ certificate: OpaquePointer) {
        unsafe subject = Self.text { unsafe rocket_tls_subject(certificate, $0, $1) }
        unsafe serial = Self.text { unsafe rocket_tls_serial(certificate, $0, $1) }
        unsafe fingerprint = TLSFingerprint(of: certificate)
        unsafe notBefore = Self.time(rocket_tls_not_before(certificate))
        unsafe notAfter = Self.time(rocket_tls_not_after(certificate))
        var names = Names()
        // SAFETY: the function calls the closure before it returns, and keeps neither pointer.
        unsafe withUnsafeMutablePointer(to: &names) { names in
            unsafe rocket_tls_each_name(certificate, names) { context, kind, bytes, count in
                guard let names = unsafe context?.assumingMemoryBound(to: Names.self) else {
                    return
                }
                let bytes = unsafe UnsafeBufferPointer(start: bytes, count: count)
                unsafe names.pointee.add(kind, bytes)
            }
        }
        (dnsNames, uris) = (names.dns, names.uris)
    }

    private struct Names {
        var dns: [String] = []
        var uris: [String] = []

        mutating func add(_ kind: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
            let text = unsafe String(decoding: bytes, as: UTF8.self)
            if kind == GEN_DNS { dns.append(text) }
            if kind == GEN_URI { uris.append(text) }
        }
    }

    private static func text(_ write: (UnsafeMutablePointer<CChar>?, Int) -> Int) -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
            let count = unsafe write(buffer.baseAddress, buffer.count)
            return unsafe String(
                decoding: buffer.prefix(count).lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// Dates beyond the year 2262 are that year's.
    private static func time(_ seconds: Int64) -> WallTime {
        let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return WallTime(nanoseconds: overflow ? (seconds > 0 ? .max : .min) : nanoseconds)
    }
}

/// The SHA-256 of a certificate's DER form. A value.
public struct TLSFingerprint: Hashable, Sendable, CustomStringConvertible {
    /// Its 32 bytes.
    public let bytes: [UInt8]

    /// Reads 64 hexadecimal digits, with or without colons between the bytes; nil: it is something
    /// else.
    public init?(_ text: String) {
        let digits = text.utf8.filter { $0 != UInt8(ascii: ":") }
        let values = digits.compactMap { Self.value(of: $0) }
        guard digits.count == 64, values.count == 64 else { return nil }
        bytes = stride(from: 0, to: 64, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }

    init(of certificate: OpaquePointer) {
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe _ = rocket_tls_fingerprint(certificate, &digest)
        bytes = digest
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

/// `2026-01-02`, in UTC.
func dateText(_ time: WallTime) -> String {
    let number = CivilDate(at: time, utcOffsetSeconds: 0).number
    func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(number / 10_000)-\(padded(number / 100 % 100))-\(padded(number % 100))"
}
