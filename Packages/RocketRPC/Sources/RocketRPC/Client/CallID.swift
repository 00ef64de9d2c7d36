import RocketBase
import RocketReactor

/// The bytes of a msg_id, at most 49, stored without an allocation. Ids are compared within one
/// channel, whose `CallIDSource` has given all of them hashes of one seed.
struct CallID: Hashable {
    private var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) =
        (0, 0, 0, 0, 0, 0, 0)
    let count: Int
    private(set) var hash: UInt64

    /// nil for more than 49 bytes. Its hash has no seed.
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount <= TinyPBLimits.maxMessageIDBytes else { return nil }
        count = bytes.byteCount
        hash = byteHash(bytes)
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

    /// 20 random digits. Its hash has no seed.
    static func random(using generator: inout some RandomNumberGenerator) -> CallID {
        var id = CallID(digits: ())
        // SAFETY: the words hold more than the 20 digits; the pointer is not kept.
        unsafe withUnsafeMutableBytes(of: &id.words) { words in
            for index in 0..<MessageID.digitCount {
                unsafe words[index] = .random(
                    in: UInt8(ascii: "0")...UInt8(ascii: "9"), using: &generator)
            }
        }
        return id.hashed(seed: 0)
    }

    private init(digits: ()) {
        count = MessageID.digitCount
        hash = 0
    }

    /// The same id with the hash of that seed.
    func hashed(seed: UInt64) -> CallID {
        var id = self
        id.hash = withBytes { byteHash($0, seed: seed) }
        return id
    }

    private mutating func rehashDigits(seed: UInt64) {
        // SAFETY: as above.
        hash = unsafe withUnsafeBytes(of: words) {
            byteHash(
                unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: $0[..<20])),
                seed: seed)
        }
    }

    /// Adds one to an id of 20 digits; all nines become all zeros.
    mutating func increment(seed: UInt64) {
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
        rehashDigits(seed: seed)
    }

    /// Returns a new id that begins with the parent's: `parent`, a dash, and ten random digits. nil
    /// where that is longer than 49 bytes.
    ///
    /// The suffix of a parent that was made like that is replaced, so that ids don't grow along a
    /// chain of calls.
    static func next(
        after parent: CallID, using generator: inout some RandomNumberGenerator
    ) -> CallID? {
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
        random(using: &generator).withBytes { fresh in
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

/// Makes the ids of a channel's calls, and their hashes. A value, bound to the channel's loop.
struct CallIDSource {
    private var random: LoopRandom
    /// Random: the calls of a handler may have ids that its caller chose, and a caller that knew
    /// the seed could choose ids that collide. Of the loop, like all that is random: hashes decide
    /// which late replies are recognised (`CompletedCalls`).
    private let seed: UInt64
    private var last: CallID

    init(random: LoopRandom) {
        self.random = random
        seed = random.next()
        last = CallID.random(using: &self.random)
    }

    /// The hash of an id with these bytes.
    @inline(__always)
    func hash(of bytes: RawSpan) -> UInt64 { byteHash(bytes, seed: seed) }

    /// Returns the id with the hash of this source.
    func hashed(_ id: CallID) -> CallID { id.hashed(seed: seed) }

    /// - Parameter isFree: whether no call has that id, or had it of late.
    @inline(__always)
    mutating func next(_ choice: CallIDChoice, isFree: (CallID) -> Bool) -> CallID {
        switch choice {
        case .fresh:
            last.increment(seed: seed)
            return last
        case .chosen(let id): return id.hashed(seed: seed)
        case .inherited(let parent):
            let id = parent.hashed(seed: seed)
            if isFree(id) { return id }
            // A late reply to the earlier call must not be taken for a reply to this one.
            if let next = CallID.next(after: id, using: &random)?.hashed(seed: seed), isFree(next) {
                return next
            }
            return CallID.random(using: &random).hashed(seed: seed)
        }
    }
}
