import RocketSystem

/// The id of a call: 20 decimal digits, as C++ peers use them.
///
/// Each thread counts from a random start, so that ids are unique across threads and processes in
/// practice: of 10^20 ids, the runs of two threads overlap with a probability of about their length
/// / 10^20. Creating an id takes no allocation and, after the first one of a thread, no lock and no
/// system call.
public struct MessageID: Hashable, Comparable, Sendable {
    /// The upper and the lower ten digits, each below `base`.
    let high: UInt64
    let low: UInt64

    static let base: UInt64 = 10_000_000_000
    /// The number of digits.
    public static let digitCount = 20

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Returns a new id. Any thread.
    public static func next() -> MessageID {
        let last = CurrentThread.counter.map { MessageID(high: $0.high, low: $0.low) }
        let next = (last ?? randomStart()).successor
        CurrentThread.counter = (next.high, next.low)
        return next
    }

    /// The next id; after 99999999999999999999 it is 00000000000000000000.
    var successor: MessageID {
        if low + 1 < Self.base { return MessageID(high: high, low: low + 1) }
        return MessageID(high: high + 1 < Self.base ? high + 1 : 0, low: 0)
    }

    private static func randomStart() -> MessageID {
        guard let words = try? SystemRandom.words() else {
            // Only on kernels that this toolchain does not support.
            preconditionFailure("the kernel has getrandom")
        }
        // The bias of the remainder is below 10^-9.
        return MessageID(high: words.0 % base, low: words.1 % base)
    }

    /// Compares the numbers.
    public static func < (a: MessageID, b: MessageID) -> Bool {
        (a.high, a.low) < (b.high, b.low)
    }
}

extension MessageID: CustomStringConvertible {
    /// The 20 digits.
    public var description: String { text.description }

    /// The 20 digits, without an allocation.
    public var text: InlineString {
        var digits = InlineString()
        // SAFETY: 20 bytes and the length byte lie within the words.
        unsafe withUnsafeMutableBytes(of: &digits.words) {
            unsafe write(to: UnsafeMutableRawBufferPointer(rebasing: $0[..<Self.digitCount]))
            unsafe $0[InlineString.capacity] = UInt8(Self.digitCount)
        }
        return digits
    }

    /// Writes the 20 digits in ASCII to the front of `memory`, which has 20 bytes or more.
    public func write(to memory: UnsafeMutableRawBufferPointer) {
        precondition(memory.count >= Self.digitCount, "the memory holds 20 digits")
        var (upper, lower) = (high, low)
        for index in (0..<10).reversed() {
            unsafe memory[index] = UInt8(ascii: "0") + UInt8(upper % 10)
            unsafe memory[index + 10] = UInt8(ascii: "0") + UInt8(lower % 10)
            upper /= 10
            lower /= 10
        }
    }

    /// Parses exactly 20 ASCII digits; nil for other bytes (ids of other peers are opaque).
    public init?(digits: RawSpan) {
        guard digits.byteCount == Self.digitCount else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        for index in 0..<10 {
            // SAFETY: both offsets are below 20, the size checked above.
            let upper = unsafe digits.unsafeLoad(fromByteOffset: index, as: UInt8.self) &- 48
            let lower = unsafe digits.unsafeLoad(fromByteOffset: index + 10, as: UInt8.self) &- 48
            guard upper < 10, lower < 10 else { return nil }
            halves.0 = halves.0 * 10 + UInt64(upper)
            halves.1 = halves.1 * 10 + UInt64(lower)
        }
        self.init(high: halves.0, low: halves.1)
    }
}
