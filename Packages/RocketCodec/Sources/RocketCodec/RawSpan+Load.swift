extension RawSpan {
    /// The big-endian integer at `offset`, which the caller has checked to lie within the span.
    @inlinable
    func loadBigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int, as type: Integer.Type = Integer.self
    ) -> Integer {
        assert(offset >= 0 && offset + MemoryLayout<Integer>.size <= byteCount)
        // SAFETY: callers check the range against byteCount first; asserted in debug builds.
        return unsafe Integer(
            bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Integer.self))
    }

    /// The part of the span that a frame's range names.
    @inlinable
    public func bytes<Result: ~Copyable, E: Error>(
        _ range: Range<Int>, _ body: (RawSpan) throws(E) -> Result
    ) throws(E) -> Result {
        try body(extracting(range))
    }
}
