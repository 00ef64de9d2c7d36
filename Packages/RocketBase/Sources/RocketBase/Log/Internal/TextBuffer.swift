import RocketSystem

/// A buffer of whole lines of text before they are written to a descriptor, in contiguous memory.
@safe
struct TextBuffer: ~Copyable {
    // SAFETY: allocated here with `capacity` bytes, freed in deinit; `count` are filled.
    private let bytes: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    /// Allocates enough memory for a batch, and for the longest line with all characters escaped.
    init(maxLineBytes: Int) {
        unsafe bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(512 * 1024, maxLineBytes * 8), alignment: 16)
    }

    deinit { unsafe bytes.deallocate() }

    func hasRoom(for event: borrowing LogEvent) -> Bool {
        unsafe bytes.count - count >= event.formattedBound
    }

    /// Appends the line and returns its length.
    mutating func append(_ event: borrowing LogEvent, _ style: LogLineStyle) -> Int {
        let length = unsafe event.format(
            style, into: UnsafeMutableRawBufferPointer(rebasing: bytes[count...]))
        count += length
        return length
    }

    /// Calls `body` with all bytes but the last `length`.
    func withBytes<R>(before length: Int = 0, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        unsafe body(UnsafeRawBufferPointer(rebasing: bytes[..<(count - length)]))
    }

    /// Discards all bytes but the last `length`.
    mutating func keepLast(_ length: Int = 0) {
        if length > 0 {
            unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<length])
                .copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[(count - length)..<count]))
        }
        count = length
    }
}

extension UnsafeRawBufferPointer {
    /// The number of lines that end in these bytes, and the offset after the last of them.
    var lines: (count: Int, end: Int) {
        var (lines, end) = (0, 0)
        for index in indices where unsafe self[index] == UInt8(ascii: "\n") {
            lines += 1
            end = index + 1
        }
        return (lines, end)
    }
}
