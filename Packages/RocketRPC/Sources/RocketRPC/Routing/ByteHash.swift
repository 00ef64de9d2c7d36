/// Fast hash of short byte sequences. Without a seed it is only for tables whose keys the
/// application chooses (method names). Tables of keys that a peer chooses need a random seed:
/// otherwise the peer can produce collisions.
@inline(__always)
func byteHash(_ bytes: RawSpan, seed: UInt64 = 0) -> UInt64 {
    var hash = seed &+ UInt64(truncatingIfNeeded: bytes.byteCount) &* 0x9E37_79B9_7F4A_7C15
    let count = bytes.byteCount
    if count >= 8 {
        var offset = 0
        while offset &+ 8 < count {
            mix(&hash, bytes.word(offset))
            offset &+= 8
        }
        // The last word overlaps the previous word.
        mix(&hash, bytes.word(count &- 8))
    } else {
        mix(&hash, bytes.shortWord)
    }
    return hash
}

@inline(__always)
private func mix(_ hash: inout UInt64, _ word: UInt64) {
    let product = (hash ^ word).multipliedFullWidth(by: 0xA24B_AED4_963E_E407)
    hash = product.high ^ product.low
}

/// Whether two spans contain the same bytes.
@inline(__always)
func sameBytes(_ a: RawSpan, _ b: RawSpan) -> Bool {
    let count = a.byteCount
    guard count == b.byteCount else { return false }
    guard count >= 8 else { return a.shortWord == b.shortWord }
    var offset = 0
    while offset &+ 8 < count {
        if a.word(offset) != b.word(offset) { return false }
        offset &+= 8
    }
    return a.word(count &- 8) == b.word(count &- 8)
}

extension RawSpan {
    /// The eight bytes at `offset`, which must lie within the span.
    @inline(__always)
    fileprivate func word(_ offset: Int) -> UInt64 {
        assert(offset >= 0 && offset &+ 8 <= byteCount)
        // SAFETY: callers pass an offset within the span; asserted in debug builds.
        return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
    }

    /// All bytes of a span of less than eight bytes, in order.
    @inline(__always)
    fileprivate var shortWord: UInt64 {
        var word: UInt64 = 0
        for offset in 0..<byteCount {
            // SAFETY: the byte at `offset` lies within the span.
            let byte = unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            word = word &<< 8 | UInt64(byte)
        }
        return word
    }
}
