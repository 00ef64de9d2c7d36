public import RocketBase
public import RocketSystem

/// A file that was read, and what tells whether it has changed since then. A value.
public struct TLSFile: Hashable, Sendable {
    /// The path of the file.
    public let path: String
    /// What it was shortly before it was read.
    public let version: FileVersion?
}

/// A certificate that is in force, and the file that it was read from. A value.
public struct TLSCertificateFile: Hashable, Sendable, CustomStringConvertible {
    /// The path of the file.
    public let path: String
    /// What the certificate says.
    public let certificate: X509Certificate

    /// `conf/server.crt: CN=orders, names DNS:orders.example, serial 1A, valid until 2027-01-31`.
    public var description: String {
        let names = certificate.names
        return "\(path): \(certificate.subject)"
            + (names.isEmpty ? "" : ", names \(names.joined(separator: " "))")
            + ", serial \(certificate.serial), valid until \(dateText(certificate.notAfter))"
    }
}

/// Decides when an end of validity that is near is reported: from 7 days before, once per day for
/// each file. A value.
struct ExpiryWarnings {
    private static let day: Int64 = 86_400_000_000_000
    private static let daysBefore: Int64 = 7
    private var last: [String: (fingerprint: X509Fingerprint, time: WallTime)] = [:]

    /// Returns the certificates to report now.
    mutating func due(_ files: [TLSCertificateFile], now: WallTime) -> [TLSCertificateFile] {
        let due = files.filter { file in
            let left = file.certificate.notAfter.nanoseconds.subtractingReportingOverflow(
                now.nanoseconds)
            guard !left.overflow, left.partialValue <= Self.daysBefore * Self.day else {
                return false
            }
            guard let last = last[file.path], last.fingerprint == file.certificate.fingerprint
            else { return true }
            // A clock that was set back does not hold the report up.
            return !(0..<Self.day).contains(now.nanoseconds &- last.time.nanoseconds)
        }
        for file in due { last[file.path] = (file.certificate.fingerprint, now) }
        let paths = Set(files.map(\.path))
        last = last.filter { paths.contains($0.key) }
        return due
    }
}
