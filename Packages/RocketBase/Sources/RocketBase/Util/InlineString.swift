/// A text of up to 55 bytes, stored inline: creating and copying it takes no allocation. Longer
/// text is cut.
public struct InlineString: Sendable, Hashable, CustomStringConvertible {
    /// The largest number of bytes.
    public static let capacity = 55

    // Seven words: the last byte is the length, the others are the text in memory order.
    var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0)

    /// The empty text.
    public init() {}

    /// Copies `text`, cut to 55 bytes.
    public init(_ text: String) {
        var text = text
        self = text.withUTF8 { unsafe InlineString(bytes: UnsafeRawBufferPointer($0).bytes) }
    }

    /// Copies bytes in the encoding of a peer, cut to 55 bytes. They are used for display only.
    public init(bytes: RawSpan) {
        let length = min(bytes.byteCount, Self.capacity)
        // SAFETY: `length` bytes fit before the length byte.
        unsafe withUnsafeMutableBytes(of: &words) { words in
            for index in 0..<length {
                unsafe words[index] = bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            }
            unsafe words[Self.capacity] = UInt8(length)
        }
    }

    /// The number of bytes.
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

    /// The text, with bytes that are not UTF-8 replaced.
    public var description: String {
        unsafe withBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// Returns whether the bytes are equal.
    public static func == (a: InlineString, b: InlineString) -> Bool {
        a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2
            && a.words.3 == b.words.3 && a.words.4 == b.words.4 && a.words.5 == b.words.5
            && a.words.6 == b.words.6
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        unsafe withBytes { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
