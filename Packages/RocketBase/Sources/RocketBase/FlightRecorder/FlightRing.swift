import RocketSystem

/// Appends records to a ring in the memory of a recorder. Used by one thread at a time.
///
/// A record does not wrap: if there is no room for it before the end, it begins at the front. Readers
/// find records by their check values, so that no place in the memory says where the ring begins.
@safe
struct FlightRing: Sendable {
    // SAFETY: the memory belongs to a recorder, which the owner of the ring keeps alive; the owner also
    // sees to it that one thread at a time writes.
    nonisolated(unsafe) private let base: UnsafeMutableRawPointer
    private let byteCount: Int
    private let salt: UInt32
    private var position = 0
    private var sequence: UInt64 = 0

    /// - Parameter byteCount: a multiple of the alignment, not less than the longest record.
    init(_ base: UnsafeMutableRawPointer, byteCount: Int, salt: UInt32) {
        unsafe self.base = base
        self.byteCount = byteCount
        self.salt = salt
    }

    /// Returns the memory of the next record.
    ///
    /// - Parameter length: that of the record, padded; not more than the ring has.
    @inline(__always)
    mutating func next(_ length: Int) -> UnsafeMutableRawPointer {
        if position + length > byteCount { position = 0 }
        return unsafe base + position
    }

    /// Makes the record that was written at `next` valid.
    @inline(__always)
    mutating func finish(_ length: Int, kind: UInt8, flags: UInt8) {
        typealias Record = FlightFormat.Record
        let record = unsafe base + position
        sequence &+= 1
        unsafe record.storeBytes(
            of: UInt16(truncatingIfNeeded: length), toByteOffset: Record.length, as: UInt16.self)
        unsafe record.storeBytes(of: kind, toByteOffset: Record.kind, as: UInt8.self)
        unsafe record.storeBytes(of: flags, toByteOffset: Record.flags, as: UInt8.self)
        unsafe record.storeBytes(of: sequence, toByteOffset: Record.sequence, as: UInt64.self)
        // SAFETY: these are the bytes of the record.
        let bytes = unsafe RawSpan(
            _unsafeStart: UnsafeRawPointer(record + Record.length),
            byteCount: length - Record.length)
        unsafe record.storeBytes(
            of: CRC32C.checksum(bytes) ^ salt, toByteOffset: Record.check, as: UInt32.self)
        position += length
    }
}

extension UnsafeMutableRawPointer {
    /// Copies at most `limit` bytes to an offset, and returns how many.
    @inline(__always)
    func copyText(_ text: UnsafeRawBufferPointer, to offset: Int, atMost limit: Int) -> Int {
        let count = min(text.count, limit)
        guard count > 0, let source = text.baseAddress else { return 0 }
        unsafe (self + offset).copyMemory(from: source, byteCount: count)
        return count
    }
}
