import CRocketSystem

/// CRC32C (Castagnoli, RFC 3720 appendix B.4) of some bytes. Any thread.
public enum CRC32C {
    /// Whether this CPU computes it by an instruction of its own.
    public static let hasHardware = rocket_crc32c_has_hardware()

    /// By the CPU's instruction where it has one, by table otherwise; the result is the same.
    public static func checksum(_ bytes: RawSpan) -> UInt32 {
        // SAFETY: the C functions read `count` bytes and keep no pointer.
        unsafe bytes.withUnsafeBytes {
            hasHardware
                ? unsafe rocket_crc32c_hardware($0.baseAddress, $0.count)
                : unsafe rocket_crc32c_table($0.baseAddress, $0.count)
        }
    }

    /// By table on every CPU: the reference that the hardware is tested against.
    public static func tableChecksum(_ bytes: RawSpan) -> UInt32 {
        // SAFETY: as above.
        unsafe bytes.withUnsafeBytes { unsafe rocket_crc32c_table($0.baseAddress, $0.count) }
    }
}
