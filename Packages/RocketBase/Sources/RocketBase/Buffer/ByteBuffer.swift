/// Contiguous bytes with one owner: written at the end, read from the front.
///
/// ```
///   0            readIndex           writeIndex        capacityBytes
///   | consumed   | readable          | writable        |
/// ```
///
/// Offsets in this API count from the first readable byte. They stay valid until `consume`.
/// An empty buffer that was never written to holds no memory. Using it out of range is our bug
/// and traps; lengths that a peer sent are checked by the codecs before they get here.
///
/// Not bound to a thread: whoever owns the value uses it.
@safe
public struct ByteBuffer: ~Copyable {
    @usableFromInline var memory: UnsafeMutableRawPointer?
    @usableFromInline var readIndex = 0
    @usableFromInline var writeIndex = 0

    /// Bytes of memory held now.
    public private(set) var capacityBytes = 0
    /// The most readable bytes it will ever hold.
    public let limitBytes: Int

    /// - Parameter limitBytes: at least 0; the default is no limit of its own.
    public init(limitBytes: Int = .max) {
        precondition(limitBytes >= 0, "ByteBuffer: a limit is never negative")
        self.limitBytes = limitBytes
    }

    deinit { unsafe memory?.deallocate() }

    /// How many bytes can be read now.
    @inlinable public var readableBytes: Int { writeIndex - readIndex }

    /// True when nothing is left to be read.
    @inlinable public var isEmpty: Bool { writeIndex == readIndex }

    /// How many bytes fit without moving or growing.
    @inlinable public var writableBytes: Int { capacityBytes - writeIndex }
}

// SAFETY: the memory belongs to this value alone, and a value has one owner at a time.
extension ByteBuffer: @unchecked Sendable {}

// MARK: - Room

extension ByteBuffer {
    /// Makes room for `count` more bytes at the end: by moving what is readable to the front, or
    /// by growing to the next power of two.
    ///
    /// - Returns: false when that would pass `limitBytes`; nothing has changed then.
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

    /// 64 at the least, then powers of two; above 1 MiB in steps of 1 MiB, not doubling for ever.
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

    /// Gives memory back after a burst: keeps what is readable, and at most `keepBytes` of room
    /// (0: an empty buffer then holds nothing).
    public mutating func shrink(keepBytes: Int = 0) {
        let wanted = max(readableBytes, keepBytes)
        if wanted == 0 {
            reallocate(capacity: 0)
        } else if capacityBytes > roundedCapacity(wanted) {
            reallocate(capacity: roundedCapacity(wanted))
        }
    }

    /// Forgets everything readable; keeps the memory.
    @inlinable
    public mutating func removeAll() {
        readIndex = 0
        writeIndex = 0
    }
}
