// Reading and consuming at the front.

extension ByteBuffer {
    /// Calls `body` with all readable bytes.
    @inlinable
    public borrowing func withBytes<Result: ~Copyable, E: Error>(
        _ body: (RawSpan) throws(E) -> Result
    ) throws(E) -> Result {
        // SAFETY: the pointer is wrapped in a span that can't escape from the closure.
        try unsafe withUnsafeBytes { (bytes) throws(E) in
            try body(unsafe RawSpan(_unsafeBytes: bytes))
        }
    }

    /// Calls `body` with a pointer to all readable bytes, for system calls. The pointer must not
    /// escape from the closure.
    @inlinable
    public borrowing func withUnsafeBytes<Result: ~Copyable, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> Result
    ) throws(E) -> Result {
        guard let memory = unsafe memory else {
            return try unsafe body(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        return try unsafe body(
            UnsafeRawBufferPointer(start: memory + readIndex, count: readableBytes))
    }

    /// Returns the big-endian integer at `offset`; its bytes must be readable.
    @inlinable
    public func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as type: Integer.Type = Integer.self
    ) -> Integer {
        precondition(
            offset >= 0 && offset <= readableBytes - MemoryLayout<Integer>.size,
            "ByteBuffer: read out of range")
        // SAFETY: the range is checked above; it is not empty, so there is memory.
        return unsafe Integer(
            bigEndian: (memory.unsafelyUnwrapped + readIndex + offset)
                .loadUnaligned(as: Integer.self))
    }

    /// Discards the first `count` readable bytes.
    @inlinable
    public mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= readableBytes, "ByteBuffer: consumed past the end")
        readIndex &+= count
        if readIndex == writeIndex { removeAll() }
    }

    /// Returns a copy of the readable bytes.
    public borrowing func copyBytes() -> [UInt8] {
        unsafe withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
