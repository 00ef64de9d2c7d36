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
