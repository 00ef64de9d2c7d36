/// A contiguous, growable buffer of bytes with one owner: appended to at the end, consumed from the
/// front.
///
/// ```
///   0            readIndex           writeIndex        capacityBytes
///   | consumed   | readable          | writable        |
/// ```
///
/// Offsets count from the first readable byte and are valid until `consume`. A buffer that was
/// never written to holds no memory. Access out of range is a programming error and traps, so
/// codecs check the lengths that a peer sends before they use them here.
///
/// Not bound to a thread: its owner may use it on any thread.
@safe
public struct ByteBuffer: ~Copyable {
    @usableFromInline var memory: UnsafeMutableRawPointer?
    @usableFromInline var readIndex = 0
    @usableFromInline var writeIndex = 0

    /// The size of the allocated memory in bytes.
    public private(set) var capacityBytes = 0
    /// The largest number of readable bytes.
    public let limitBytes: Int

    /// - Parameter limitBytes: the largest number of readable bytes, at least 0; default: no limit.
    public init(limitBytes: Int = .max) {
        precondition(limitBytes >= 0, "ByteBuffer: a limit is never negative")
        self.limitBytes = limitBytes
    }

    deinit { unsafe memory?.deallocate() }

    /// The number of bytes that can be read.
    @inlinable public var readableBytes: Int { writeIndex - readIndex }

    /// Whether there are no readable bytes.
    @inlinable public var isEmpty: Bool { writeIndex == readIndex }

    /// The number of bytes that can be appended without moving or growing.
    @inlinable public var writableBytes: Int { capacityBytes - writeIndex }
}

// SAFETY: the memory belongs to this value only, and a value has one owner at a time.
extension ByteBuffer: @unchecked Sendable {}

// MARK: - Room

extension ByteBuffer {
    /// Makes room for `count` more bytes at the end, by moving the readable bytes to the front or
    /// by growing (see `roundedCapacity`).
    ///
    /// - Returns: false when that would exceed `limitBytes`; the buffer is then unchanged.
    @inlinable
    public mutating func reserve(_ count: Int) -> Bool {
        if count <= writableBytes, readableBytes <= limitBytes &- count { return true }
        return makeRoom(count)
    }

    @usableFromInline
    mutating func makeRoom(_ count: Int) -> Bool {
        precondition(count >= 0, "ByteBuffer: a count is never negative")
        let (needed, overflow) = readableBytes.addingReportingOverflow(count)
        if overflow || needed > limitBytes { return false }
        if needed <= writableBytes + readableBytes, readIndex >= readableBytes {
            moveToFront()
        }
        if needed > capacityBytes - readIndex { reallocate(capacity: roundedCapacity(needed)) }
        return true
    }

    /// Returns the capacity for `needed` bytes: a power of two of at least 64, above 1 MiB a
    /// multiple of 1 MiB.
    private func roundedCapacity(_ needed: Int) -> Int {
        let step = 1 << 20
        if needed > step {
            return needed > .max - step ? needed : (needed + step - 1) & ~(step - 1)
        }
        var capacity = 64
        while capacity < needed { capacity <<= 1 }
        return capacity
    }

    private mutating func moveToFront() {
        if readIndex == 0 { return }
        // SAFETY: both ranges lie within the memory; memmove semantics allow the overlap.
        if let memory = unsafe memory {
            unsafe memory.copyMemory(from: memory + readIndex, byteCount: readableBytes)
        }
        writeIndex -= readIndex
        readIndex = 0
    }

    private mutating func reallocate(capacity: Int) {
        precondition(capacity >= readableBytes)
        let count = readableBytes
        var fresh: UnsafeMutableRawPointer?
        if capacity > 0 {
            let new = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
            // SAFETY: `count` readable bytes start at readIndex and fit the new memory.
            if let memory = unsafe memory {
                unsafe new.copyMemory(from: memory + readIndex, byteCount: count)
            }
            unsafe fresh = new
        }
        unsafe memory?.deallocate()
        unsafe memory = fresh
        capacityBytes = capacity
        readIndex = 0
        writeIndex = count
    }

    /// Releases memory after a burst: keeps the readable bytes, and a capacity of up to `keepBytes`
    /// (rounded up; 0: an empty buffer then holds no memory).
    public mutating func shrink(keepBytes: Int = 0) {
        if capacityBytes <= keepBytes { return }
        let wanted = max(readableBytes, keepBytes)
        if wanted == 0 {
            reallocate(capacity: 0)
        } else if capacityBytes > roundedCapacity(wanted) {
            reallocate(capacity: roundedCapacity(wanted))
        }
    }

    /// Discards all readable bytes and keeps the memory.
    @inlinable
    public mutating func removeAll() {
        readIndex = 0
        writeIndex = 0
    }
}

// MARK: - Reading and consuming at the front

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

// MARK: - Appending at the end, and overwriting at an offset

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
