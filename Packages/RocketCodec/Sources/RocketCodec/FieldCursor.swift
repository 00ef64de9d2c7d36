/// Where the next field of a header goes.
// SAFETY: its maker has made room for all that is put.
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

    /// A length, and so many bytes.
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
