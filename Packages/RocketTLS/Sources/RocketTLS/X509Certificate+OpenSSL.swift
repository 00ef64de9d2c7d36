import COpenSSL
import CRocketTLS
import RocketBase
import RocketSystem

extension X509Certificate {
    /// Reads a certificate of OpenSSL.
    init(_ certificate: OpaquePointer) {
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
        unsafe self.init(
            subject: Self.text { unsafe rocket_tls_subject(certificate, $0, $1) },
            dnsNames: names.dns, uris: names.uris, ipAddresses: names.ips,
            fingerprint: X509Fingerprint(of: certificate),
            serial: Self.text { unsafe rocket_tls_serial(certificate, $0, $1) },
            notBefore: Self.time(rocket_tls_not_before(certificate)),
            notAfter: Self.time(rocket_tls_not_after(certificate)))
    }

    private struct Names {
        var dns: [String] = []
        var uris: [String] = []
        var ips: [String] = []

        mutating func add(_ kind: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
            let text = unsafe String(decoding: bytes, as: UTF8.self)
            if kind == GEN_DNS { dns.append(text) }
            if kind == GEN_URI { uris.append(text) }
            if kind == GEN_IPADD { ips.append(text) }
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

extension X509Certificate {
    /// `DNS:orders.example`, `IP:10.0.0.1`, `URI:spiffe://example/orders`.
    var names: [String] {
        dnsNames.map { "DNS:\($0)" } + ipAddresses.map { "IP:\($0)" } + uris.map { "URI:\($0)" }
    }

    /// The first of the names, for the text of an error: a peer decides what they are.
    var nameText: String {
        let shown = names.prefix(8).map {
            PrintableText.escaping(String($0.prefix(255)), PrintableText.swiftEscape)
        }
        return shown.joined(separator: " ") + (names.count > shown.count ? " …" : "")
    }
}

extension X509Fingerprint {
    fileprivate init(of certificate: OpaquePointer) {
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe _ = rocket_tls_fingerprint(certificate, &digest)
        guard let made = Self(bytes: digest) else { preconditionFailure("32 bytes") }
        self = made
    }
}

/// `2026-01-02`, in UTC.
func dateText(_ time: WallTime) -> String {
    let number = CivilDate(at: time, utcOffsetSeconds: 0).number
    func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(number / 10_000)-\(padded(number / 100 % 100))-\(padded(number % 100))"
}
