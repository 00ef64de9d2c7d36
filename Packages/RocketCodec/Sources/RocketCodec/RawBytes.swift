extension RawSpan {
    /// Returns the big-endian integer at `offset`. The caller must check that it is within the span;
    /// otherwise the read is out of bounds in release builds.
    @inlinable
    func loadBigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int, as type: Integer.Type = Integer.self
    ) -> Integer {
        assert(offset >= 0 && offset + MemoryLayout<Integer>.size <= byteCount)
        // SAFETY: callers check the range against byteCount first; asserted in debug builds.
        return unsafe Integer(
            bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Integer.self))
    }

    /// Returns the index of the first `byte` in `range`, which must be within the span; nil: there is none.
    func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        var index = range.lowerBound
        // Eight bytes at a time: the lowest of those bytes that are 0 after the exclusive or has the
        // lowest bit that is set (a borrow may set higher ones).
        let ones: UInt64 = 0x0101_0101_0101_0101
        let pattern = ones &* UInt64(byte)
        while range.upperBound - index >= 8 {
            let word = loadBigEndian(index, as: UInt64.self).byteSwapped ^ pattern
            let found = (word &- ones) & ~word & ones << 7
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < range.upperBound {
            if loadBigEndian(index, as: UInt8.self) == byte { return index }
            index += 1
        }
        return nil
    }

    /// Calls `body` with the part of the span in `range`, such as a field of a frame.
    @inlinable
    public func bytes<Result: ~Copyable, E: Error>(
        _ range: Range<Int>, _ body: (RawSpan) throws(E) -> Result
    ) throws(E) -> Result {
        try body(extracting(range))
    }
}

/// Writes the fields of a header, one after another.
// SAFETY: the creator must reserve room for all fields; `put` does not check it.
@frozen @safe @usableFromInline
struct FieldCursor {
    @usableFromInline var next: UnsafeMutableRawPointer

    @unsafe @inlinable @inline(__always)
    init(_ start: UnsafeMutableRawPointer) { unsafe next = start }

    @inlinable @inline(__always)
    mutating func put<T: BitwiseCopyable>(_ value: T) {
        unsafe next.storeBytes(of: value, as: T.self)
        unsafe next += MemoryLayout<T>.size
    }

    /// Writes the length of `bytes`, then the bytes.
    @inlinable @inline(__always)
    mutating func put(field bytes: RawSpan) {
        put(UInt32(truncatingIfNeeded: bytes.byteCount).bigEndian)
        put(bytes)
    }

    @inlinable @inline(__always)
    mutating func put(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe next.copyMemory(from: start, byteCount: source.count)
        }
        unsafe next += bytes.byteCount
    }
}
