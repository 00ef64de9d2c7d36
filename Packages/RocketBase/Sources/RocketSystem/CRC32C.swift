import CRocketSystem

/// CRC32C checksums (Castagnoli, RFC 3720 appendix B.4). Any thread.
public enum CRC32C {
    /// Whether this CPU has a CRC32C instruction (SSE 4.2).
    public static let hasHardware = rocket_crc32c_has_hardware()

    /// Returns the checksum of `bytes`, computed by the CPU's instruction where it has one,
    /// otherwise by table. The result is the same.
    public static func checksum(_ bytes: RawSpan) -> UInt32 {
        // SAFETY: the C functions read `count` bytes and keep no pointer.
        unsafe bytes.withUnsafeBytes {
            hasHardware
                ? unsafe rocket_crc32c_hardware($0.baseAddress, $0.count)
                : unsafe rocket_crc32c_table($0.baseAddress, $0.count)
        }
    }

    /// Returns the checksum of `bytes`, computed by table on every CPU: the reference value in
    /// tests of `checksum`.
    public static func tableChecksum(_ bytes: RawSpan) -> UInt32 {
        // SAFETY: as above.
        unsafe bytes.withUnsafeBytes { unsafe rocket_crc32c_table($0.baseAddress, $0.count) }
    }
}
