/// Up to 55 bytes of text held in place: no allocation to make or copy one. Longer text is cut.
public struct InlineString: Sendable, Hashable, CustomStringConvertible {
    /// The most bytes that one holds.
    public static let capacity = 55

    // Seven words: the last byte is the length, the others are text in memory order.
    var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0)

    /// No text.
    public init() {}

    /// The text, cut to 55 bytes.
    public init(_ text: String) {
        var text = text
        self = text.withUTF8 { unsafe InlineString(bytes: UnsafeRawBufferPointer($0).bytes) }
    }

    /// Text in whatever encoding a peer uses; it is only shown.
    public init(bytes: RawSpan) {
        let length = min(bytes.byteCount, Self.capacity)
        // SAFETY: `length` bytes fit in front of the length byte.
        unsafe withUnsafeMutableBytes(of: &words) { words in
            for index in 0..<length {
                unsafe words[index] = bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            }
            unsafe words[Self.capacity] = UInt8(length)
        }
    }

    /// The number of bytes held.
    public var count: Int { Int(words.6 >> 56) }

    /// Whether there is no text.
    public var isEmpty: Bool { count == 0 }

    func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        let count = self.count
        // SAFETY: the words hold at least `count` bytes.
        return unsafe withUnsafeBytes(of: words) {
            unsafe body(
                UnsafeBufferPointer(
                    start: $0.baseAddress?.assumingMemoryBound(to: UInt8.self), count: count))
        }
    }

    /// The text; bytes that are not UTF-8 are replaced.
    public var description: String {
        unsafe withBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// Same bytes.
    public static func == (a: InlineString, b: InlineString) -> Bool {
        a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2
            && a.words.3 == b.words.3 && a.words.4 == b.words.4 && a.words.5 == b.words.5
            && a.words.6 == b.words.6
    }

    /// Over the bytes.
    public func hash(into hasher: inout Hasher) {
        unsafe withBytes { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
