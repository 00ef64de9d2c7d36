import RocketSystem

/// Lines of text on their way to a descriptor: whole lines only, in one piece of memory.
@safe
struct TextBuffer: ~Copyable {
    // SAFETY: allocated here with `capacity` bytes, freed in deinit; `count` are filled.
    private let bytes: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    /// Big enough for the longest line with every character escaped, and a batch beside it.
    init(maxLineBytes: Int) {
        unsafe bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(512 * 1024, maxLineBytes * 8), alignment: 16)
    }

    deinit { unsafe bytes.deallocate() }

    func hasRoom(for event: borrowing LogEvent) -> Bool {
        unsafe bytes.count - count >= event.formattedBound
    }

    /// Appends the line; its length.
    mutating func append(_ event: borrowing LogEvent, _ style: LogLineStyle) -> Int {
        let length = unsafe event.format(
            style, into: UnsafeMutableRawBufferPointer(rebasing: bytes[count...]))
        count += length
        return length
    }

    /// Everything before the last `length` bytes.
    func withBytes<R>(before length: Int = 0, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        unsafe body(UnsafeRawBufferPointer(rebasing: bytes[..<(count - length)]))
    }

    /// Forgets everything but the last `length` bytes.
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
    /// How many lines end in it, and where the last of them ends.
    var lines: (count: Int, end: Int) {
        var (lines, end) = (0, 0)
        for index in indices where unsafe self[index] == UInt8(ascii: "\n") {
            lines += 1
            end = index + 1
        }
        return (lines, end)
    }
}
