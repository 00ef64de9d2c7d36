/// Hashes that are the same in every process and on every machine, unlike Swift's `Hasher`: clients
/// must agree on which endpoint a key belongs to. FNV-1a over the bytes, then the finalizer of
/// SplitMix64, since the high bits of FNV-1a of short texts hardly differ. Not for secrets, nor
/// against peers that choose keys to collide: the bounded load of a hash ring limits what that does.
public enum StableHash {
    /// The hash of a text's UTF-8.
    public static func of(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return mixed(hash)
    }

    /// A hash of both numbers, in which their order counts.
    public static func of(_ first: UInt64, _ second: UInt64) -> UInt64 {
        mixed(mixed(first &+ 0x9E37_79B9_7F4A_7C15) &+ second)
    }

    /// The finalizer of SplitMix64: each bit of the input changes half of the output's.
    @inline(__always)
    static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
