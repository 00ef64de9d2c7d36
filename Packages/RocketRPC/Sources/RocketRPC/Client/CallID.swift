import RocketBase

/// The bytes of a msg_id, at most 49 of them, without an allocation.
struct CallID: Hashable {
    private var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) =
        (0, 0, 0, 0, 0, 0, 0)
    let count: Int
    private(set) var hash: UInt64

    /// Differs from process to process: a handler's calls may bear ids that its caller chose, who
    /// must not be able to aim at collisions.
    private static let seed = UInt64.random(in: .min ... .max)

    /// What the id of these bytes has for its hash.
    @inline(__always)
    static func hash(of bytes: RawSpan) -> UInt64 { byteHash(bytes, seed: seed) }

    /// nil for more bytes than a call of ours can have.
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount <= TinyPBLimits.maxMessageIDBytes else { return nil }
        count = bytes.byteCount
        hash = Self.hash(of: bytes)
        // SAFETY: 56 bytes of plain integers take the 49 at most; neither pointer is kept.
        unsafe withUnsafeMutableBytes(of: &words) { words in
            unsafe bytes.withUnsafeBytes { unsafe words.copyMemory(from: $0) }
        }
    }

    /// No bytes.
    static let empty = CallID()

    private init() {
        count = 0
        hash = 0
    }

    /// 20 random digits: where a channel's ids begin.
    static func random() -> CallID {
        var id = CallID(digits: ())
        // SAFETY: the words hold more than the 20 digits; the pointer is not kept.
        unsafe withUnsafeMutableBytes(of: &id.words) { words in
            for index in 0..<MessageID.digitCount {
                unsafe words[index] = .random(in: UInt8(ascii: "0")...UInt8(ascii: "9"))
            }
        }
        id.rehash()
        return id
    }

    private init(digits: ()) {
        count = MessageID.digitCount
        hash = 0
    }

    private mutating func rehash() {
        // SAFETY: as above.
        hash = unsafe withUnsafeBytes(of: words) {
            Self.hash(
                of: unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: $0[..<20])))
        }
    }

    /// Of 20 digits, the next number; after all nines come all zeros.
    mutating func increment() {
        // SAFETY: as above.
        unsafe withUnsafeMutableBytes(of: &words) { words in
            for index in (0..<MessageID.digitCount).reversed() {
                if unsafe words[index] != UInt8(ascii: "9") {
                    unsafe words[index] += 1
                    return
                }
                unsafe words[index] = UInt8(ascii: "0")
            }
        }
        rehash()
    }

    /// Another one with the same beginning: `parent`, a dash, and ten digits that differ from call
    /// to call. nil where that does not fit.
    ///
    /// Of a parent that was made so itself the beginning is taken: ids don't grow along a chain.
    static func next(after parent: CallID) -> CallID? {
        var bytes = parent.withBytes { bytes in
            // SAFETY: the pointer does not leave the closure.
            unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
        }
        let digits = MessageID.digitCount / 2
        let dash = UInt8(ascii: "-")
        if bytes.count > digits, bytes[bytes.count - digits - 1] == dash,
            bytes.suffix(digits).allSatisfy({ (0x30...0x39).contains($0) })
        {
            bytes.removeLast(digits + 1)
        }
        bytes.append(dash)
        random().withBytes { fresh in
            // SAFETY: the pointer does not leave the closure.
            unsafe fresh.withUnsafeBytes { unsafe bytes.append(contentsOf: $0.suffix(digits)) }
        }
        // SAFETY: the array lives, unchanged, until the id is made.
        return CallID(unsafe bytes.span.bytes)
    }

    func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
        // SAFETY: the span can't leave the closure, and `words` lives as long.
        unsafe withUnsafeBytes(of: words) { words in
            unsafe body(
                RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: words[..<count])))
        }
    }

    /// Whether it is the id of these bytes.
    @inline(__always)
    func has(_ bytes: RawSpan) -> Bool { withBytes { sameBytes($0, bytes) } }

    static func == (a: CallID, b: CallID) -> Bool {
        a.hash == b.hash && a.count == b.count && a.words.0 == b.words.0 && a.words.1 == b.words.1
            && a.words.2 == b.words.2 && a.words.3 == b.words.3 && a.words.4 == b.words.4
            && a.words.5 == b.words.5 && a.words.6 == b.words.6
    }

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
