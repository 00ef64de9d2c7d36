/// Cuts a stream of bytes into lines. A pure value.
struct LineSplitter {
    private var bytes: [UInt8] = []
    private var start = 0
    private var searched = 0
    private var isEnded = false

    /// Appends what was read.
    mutating func append(_ more: [UInt8]) {
        if start > 0 {
            bytes.removeSubrange(..<start)
            searched -= start
            start = 0
        }
        bytes += more
    }

    /// No more comes: what is left is a line, too, though no line feed ends it.
    mutating func end() { isEnded = true }

    /// The next line, without its end (a line feed, or a carriage return and a line feed); nil
    /// where none is whole.
    mutating func next() -> [UInt8]? {
        if let end = bytes[max(start, searched)...].firstIndex(of: UInt8(ascii: "\n")) {
            defer { (start, searched) = (end + 1, end + 1) }
            return Array(Self.withoutReturn(bytes[start..<end]))
        }
        searched = bytes.count
        guard isEnded, start < bytes.count else { return nil }
        defer { start = bytes.count }
        return Array(Self.withoutReturn(bytes[start...]))
    }

    /// Bytes that no whole line was made of yet.
    var pendingBytes: Int { bytes.count - start }

    private static func withoutReturn(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
}
