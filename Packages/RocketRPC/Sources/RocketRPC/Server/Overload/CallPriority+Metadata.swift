import RocketBalancing
import RocketBase
import RocketCodec

extension CallPriority {
    /// The key of the metadata that says it. Not `priority`, which is a header of HTTP with another
    /// meaning (RFC 9218).
    static let key = "call-priority"

    /// Reads the priority of a request from its err_info; what it does not know is `default`.
    ///
    /// - Parameter acceptsCritical: whether the caller may claim the highest one.
    init(_ info: RawSpan, acceptsCritical: Bool) {
        self = .standard
        guard info.byteCount > 0, let range = MetadataBlock.value(of: "call-priority", in: info)
        else { return }
        let value = info.extracting(range)
        if Self.sheddableBytes.isEqual(to: value) {
            self = .sheddable
        } else if acceptsCritical, Self.criticalBytes.isEqual(to: value) {
            self = .critical
        }
    }

    private static let sheddableBytes = [UInt8](CallPriority.sheddable.rawValue.utf8)
    private static let criticalBytes = [UInt8](CallPriority.critical.rawValue.utf8)
}

extension [UInt8] {
    fileprivate func isEqual(to other: RawSpan) -> Bool {
        // SAFETY: the span can't escape the closure, and the array is never changed.
        unsafe withUnsafeBytes { unsafe sameBytes(RawSpan(_unsafeBytes: $0), other) }
    }
}
