import RocketBase

/// The bytes of a msg_id, at most 49, stored without an allocation.
struct CallID: Hashable {
    private var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) =
        (0, 0, 0, 0, 0, 0, 0)
    let count: Int
    private(set) var hash: UInt64

    /// Differs from process to process: the calls of a handler may have ids that its caller chose,
    /// and a caller that knew the seed could choose ids that collide.
    private static let seed = UInt64.random(in: .min ... .max)

    /// The hash of an id with these bytes.
    @inline(__always)
    static func hash(of bytes: RawSpan) -> UInt64 { byteHash(bytes, seed: seed) }

    /// nil for more than 49 bytes.
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount <= TinyPBLimits.maxMessageIDBytes else { return nil }
        count = bytes.byteCount
        hash = Self.hash(of: bytes)
        // SAFETY: 56 bytes of plain integers take the 49 at most; neither pointer is kept.
        unsafe withUnsafeMutableBytes(of: &words) { words in
            unsafe bytes.withUnsafeBytes { unsafe words.copyMemory(from: $0) }
        }
    }

    /// The id without bytes.
    static let empty = CallID()

    private init() {
        count = 0
        hash = 0
    }

    /// 20 random digits.
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

    /// Adds one to an id of 20 digits; all nines become all zeros.
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

    /// Returns a new id that begins with the parent's: `parent`, a dash, and ten random digits. nil
    /// where that is longer than 49 bytes.
    ///
    /// The suffix of a parent that was made like that is replaced, so that ids don't grow along a
    /// chain of calls.
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

    /// Whether the id has these bytes.
    @inline(__always)
    func matches(_ bytes: RawSpan) -> Bool { withBytes { sameBytes($0, bytes) } }

    static func == (a: CallID, b: CallID) -> Bool {
        a.hash == b.hash && a.count == b.count && a.words.0 == b.words.0 && a.words.1 == b.words.1
            && a.words.2 == b.words.2 && a.words.3 == b.words.3 && a.words.4 == b.words.4
            && a.words.5 == b.words.5 && a.words.6 == b.words.6
    }

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}

/// How the id of a call is chosen.
enum CallIDChoice: Sendable {
    /// A new id.
    case fresh
    /// The id that the caller set.
    case chosen(CallID)
    /// The id of the call whose handler makes this one, as long as no other call has it.
    case inherited(CallID)
}

/// Makes the ids of a channel's calls. A value.
struct CallIDSource {
    private var last = CallID.random()

    /// - Parameter isFree: whether no call has that id, or had it of late.
    @inline(__always)
    mutating func next(_ choice: CallIDChoice, isFree: (CallID) -> Bool) -> CallID {
        switch choice {
        case .fresh:
            last.increment()
            return last
        case .chosen(let id): return id
        case .inherited(let id):
            if isFree(id) { return id }
            // A late reply to the earlier call must not be taken for a reply to this one.
            if let next = CallID.next(after: id), isFree(next) { return next }
            return .random()
        }
    }
}
