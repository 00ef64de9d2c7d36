import RocketBase

/// The bytes of a msg_id, at most 49 of them, without an allocation.
struct CallID: Hashable {
    private var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) =
        (0, 0, 0, 0, 0, 0, 0)
    let count: Int
    private let hash: UInt64

    /// nil for more bytes than a call of ours can have.
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount <= TinyPB.maxMessageIDBytes else { return nil }
        count = bytes.byteCount
        hash = byteHash(bytes)
        // SAFETY: 56 bytes of plain integers take the 49 at most; neither pointer is kept.
        unsafe withUnsafeMutableBytes(of: &words) { words in
            unsafe bytes.withUnsafeBytes { unsafe words.copyMemory(from: $0) }
        }
    }

    /// A new one: 20 digits that no other call has. Any thread.
    static func next() -> CallID { CallID(MessageID.next()) }

    private init(_ id: MessageID) {
        count = MessageID.digitCount
        // SAFETY: the words hold more than the 20 digits; neither pointer is kept.
        unsafe withUnsafeMutableBytes(of: &words) { unsafe id.write(to: $0) }
        hash = unsafe withUnsafeBytes(of: words) {
            byteHash(unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: $0[..<20])))
        }
    }

    func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
        // SAFETY: the span can't leave the closure, and `words` lives as long.
        unsafe withUnsafeBytes(of: words) { words in
            unsafe body(
                RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: words[..<count])))
        }
    }

    static func == (a: CallID, b: CallID) -> Bool {
        a.count == b.count && a.words.0 == b.words.0 && a.words.1 == b.words.1
            && a.words.2 == b.words.2 && a.words.3 == b.words.3 && a.words.4 == b.words.4
            && a.words.5 == b.words.5 && a.words.6 == b.words.6
    }

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
