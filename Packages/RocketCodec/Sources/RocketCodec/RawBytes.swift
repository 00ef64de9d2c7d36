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
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe next.copyMemory(from: start, byteCount: source.count)
        }
        unsafe next += bytes.byteCount
    }
}
