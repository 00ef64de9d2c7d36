/// Bytes, first in, first out. A value.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ added: [UInt8]) { bytes.append(contentsOf: added) }

    mutating func append(_ added: UnsafeRawBufferPointer) {
        unsafe bytes.append(contentsOf: added)
    }

    /// Removes and returns the first bytes, of which there are so many.
    mutating func removeFirst(_ count: Int) -> [UInt8] {
        let first = Array(bytes[start..<start + count])
        dropFirst(count)
        return first
    }

    /// Removes the first bytes, and copies them to `target`, which has room for them.
    mutating func copyFirst(_ count: Int, to target: UnsafeMutableRawBufferPointer) {
        let range = start..<start + count
        unsafe bytes.withUnsafeBytes { source in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
        }
        dropFirst(count)
    }

    private mutating func dropFirst(_ count: Int) {
        start += count
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            start = 0
        } else if start > 64 << 10 {
            bytes.removeFirst(start)
            start = 0
        }
    }
}
