/// A quick hash of a few bytes, for tables that hold only what we chose ourselves (method names);
/// with a random seed also for what others chose, so that nobody can aim at collisions.
@inline(__always)
func byteHash(_ bytes: RawSpan, seed: UInt64 = 0) -> UInt64 {
    var hash = seed &+ UInt64(truncatingIfNeeded: bytes.byteCount) &* 0x9E37_79B9_7F4A_7C15
    var offset = 0
    while offset &+ 8 <= bytes.byteCount {
        // SAFETY: eight bytes from `offset` lie within the span.
        mix(
            &hash,
            unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
        offset &+= 8
    }
    var tail: UInt64 = 0
    while offset < bytes.byteCount {
        // SAFETY: the byte at `offset` lies within the span.
        let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
        tail = tail << 8 | UInt64(byte)
        offset &+= 1
    }
    mix(&hash, tail)
    return hash
}

@inline(__always)
private func mix(_ hash: inout UInt64, _ word: UInt64) {
    let product = (hash ^ word).multipliedFullWidth(by: 0xA24B_AED4_963E_E407)
    hash = product.high ^ product.low
}

/// Whether a span and an array hold the same bytes.
@inline(__always)
func sameBytes(_ bytes: RawSpan, _ array: [UInt8]) -> Bool {
    guard bytes.byteCount == array.count else { return false }
    for index in array.indices {
        // SAFETY: both have the same count.
        let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
        if byte != array[index] { return false }
    }
    return true
}
