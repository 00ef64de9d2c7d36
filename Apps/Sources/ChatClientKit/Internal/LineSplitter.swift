/// Splits a stream of bytes into lines. A pure value that keeps little more than the longest line
/// that is sent, whatever the stream contains.
struct LineSplitter {
    /// A line that is longer loses a part, but has more bytes than this.
    let limitBytes: Int
    private var bytes: [UInt8] = []
    private var start = 0
    private var searched = 0
    private var isEnded = false

    init(limitBytes: Int) { self.limitBytes = limitBytes }

    /// Appends bytes of a read.
    mutating func append(_ more: [UInt8]) {
        if start > 0 {
            bytes.removeSubrange(..<start)
            searched -= start
            start = 0
        }
        bytes += more
    }

    /// Ends the stream: remaining bytes become the last line, though no line feed ends it.
    mutating func end() { isEnded = true }

    /// Returns the next line without its end (a line feed, or a carriage return and a line feed);
    /// nil if no line is complete.
    mutating func next() -> [UInt8]? {
        if let end = bytes[max(start, searched)...].firstIndex(of: UInt8(ascii: "\n")) {
            defer { (start, searched) = (end + 1, end + 1) }
            return Array(Self.withoutReturn(bytes[start..<end]))
        }
        // With its carriage return, and one more that shows that it is too long.
        bytes.removeSubrange(min(bytes.count, start + limitBytes + 2)...)
        searched = bytes.count
        guard isEnded, start < bytes.count else { return nil }
        defer { start = bytes.count }
        return Array(Self.withoutReturn(bytes[start...]))
    }

    /// Bytes of the incomplete line.
    var pendingBytes: Int { bytes.count - start }

    private static func withoutReturn(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
}
