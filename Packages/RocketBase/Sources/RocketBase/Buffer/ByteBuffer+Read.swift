// Reading from the front.

extension ByteBuffer {
    /// All readable bytes, for the time of the closure.
    @inlinable
    public borrowing func withBytes<Result: ~Copyable, E: Error>(
        _ body: (RawSpan) throws(E) -> Result
    ) throws(E) -> Result {
        // SAFETY: the pointer is wrapped in a span that can't leave the closure.
        try unsafe withUnsafeBytes { (bytes) throws(E) in
            try body(unsafe RawSpan(_unsafeBytes: bytes))
        }
    }

    /// All readable bytes as a pointer, which must not leave the closure: for system calls.
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

    /// A big-endian integer at `offset`; the range must be readable.
    @inlinable
    public func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as type: Integer.Type = Integer.self
    ) -> Integer {
        precondition(
            offset >= 0 && offset <= readableBytes - MemoryLayout<Integer>.size,
            "ByteBuffer: read out of range")
        // SAFETY: the range was checked just now; it is not empty, so there is memory.
        return unsafe Integer(
            bigEndian: (memory.unsafelyUnwrapped + readIndex + offset)
                .loadUnaligned(as: Integer.self))
    }

    /// Done with the first `count` readable bytes.
    @inlinable
    public mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= readableBytes, "ByteBuffer: consumed past the end")
        readIndex &+= count
        if readIndex == writeIndex { removeAll() }
    }

    /// A copy of the readable bytes.
    public borrowing func copyBytes() -> [UInt8] {
        unsafe withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
