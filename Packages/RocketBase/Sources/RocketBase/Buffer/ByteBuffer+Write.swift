// Appending at the end, and overwriting at an offset.

extension ByteBuffer {
    /// Returns the end of the readable bytes, with room for `count` more; traps at the limit.
    @inlinable
    mutating func room(_ count: Int) -> UnsafeMutableRawPointer {
        precondition(reserve(count), "ByteBuffer: appended past limitBytes; reserve() first")
        // SAFETY: reserve() made room, so there is memory; callers append at least one byte.
        return unsafe memory.unsafelyUnwrapped + writeIndex
    }

    /// Appends a copy of `bytes`.
    @inlinable
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        // SAFETY: room() checked the length; the source can't overlap memory that this value owns.
        unsafe room(bytes.count).copyMemory(from: source, byteCount: bytes.count)
        writeIndex &+= bytes.count
    }

    /// Appends a copy of `bytes`.
    @inlinable
    public mutating func append(_ bytes: RawSpan) {
        // SAFETY: the pointer does not escape from the closure.
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    /// Appends a copy of `bytes`.
    @inlinable
    public mutating func append(_ bytes: [UInt8]) {
        // SAFETY: the pointer does not escape from the closure.
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    /// Appends `text` in UTF-8, without a terminator.
    @inlinable
    public mutating func append(utf8 text: String) {
        var text = text
        // SAFETY: the pointer does not escape from the closure.
        text.withUTF8 { unsafe append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a big-endian integer.
    @inlinable
    public mutating func append<Integer: FixedWidthInteger & BitwiseCopyable>(
        bigEndian value: Integer
    ) {
        let size = MemoryLayout<Integer>.size
        // SAFETY: room() made `size` bytes; unaligned stores of trivial types are allowed.
        unsafe room(size).storeBytes(of: value.bigEndian, as: Integer.self)
        writeIndex &+= size
    }

    /// Appends one byte.
    @inlinable
    public mutating func append(byte: UInt8) { append(bigEndian: byte) }

    /// Overwrites the big-endian integer at `offset`, for lengths that are only known afterwards.
    @inlinable
    public mutating func set<Integer: FixedWidthInteger & BitwiseCopyable>(
        bigEndian value: Integer, at offset: Int
    ) {
        let size = MemoryLayout<Integer>.size
        precondition(offset >= 0 && offset <= readableBytes - size, "ByteBuffer: set out of range")
        // SAFETY: the range is checked above; it is not empty, so there is memory.
        unsafe (memory.unsafelyUnwrapped + readIndex + offset)
            .storeBytes(of: value.bigEndian, as: Integer.self)
    }

    /// Calls `body` with at least `minimum` (1 or more) free bytes at the end; `body` returns the
    /// number of bytes that it wrote.
    @inlinable
    public mutating func write<E: Error>(
        minimum: Int, _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
    ) throws(E) -> Int {
        precondition(minimum > 0, "ByteBuffer: write needs room for one byte at the least")
        let start = unsafe room(minimum)
        // SAFETY: this value owns writableBytes bytes from `start`; they don't escape from the
        // closure.
        let written = try unsafe body(
            UnsafeMutableRawBufferPointer(start: start, count: writableBytes))
        precondition(written >= 0 && written <= writableBytes, "ByteBuffer: wrote past its room")
        writeIndex &+= written
        return written
    }

    /// Returns the free bytes at the end, at least `minimum` (1 or more), for a writer that fills
    /// them in several steps and then calls `commit`. The pointers are valid until `commit` or
    /// until any other use of the buffer.
    @unsafe @inlinable
    public mutating func slot(
        minimum: Int
    ) -> (start: UnsafeMutableRawPointer, end: UnsafeMutableRawPointer) {
        precondition(minimum > 0, "ByteBuffer: a slot has room for at least one byte")
        let start = unsafe room(minimum)
        return unsafe (start, start + writableBytes)
    }

    /// Appends the first `count` bytes of the slot to the readable bytes.
    @inlinable
    public mutating func commit(_ count: Int) {
        precondition(count >= 0 && count <= writableBytes, "ByteBuffer: wrote past its slot")
        writeIndex &+= count
    }

    /// Discards all but the first `count` readable bytes.
    @inlinable
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= readableBytes, "ByteBuffer: truncate out of range")
        writeIndex = readIndex + count
    }
}
