public import RocketBase
import RocketSystem

/// The output of one connection that waits to be sent, in order: own bytes in one buffer, and
/// segments between them, such as shared bytes, which are not copied.
///
/// ```
/// stream:  own own own | shared A | own own | shared B | own   <- appended here
/// own:     own own own              own own              own   one ByteBuffer
/// inserts: A after 3 own bytes, B after 5
/// ```
/// A value without a socket, owned by its connection: `withSlices` lends what to send next, `sent`
/// removes what the kernel has taken.
@usableFromInline
struct OutputQueue: ~Copyable {
    /// A segment and its position: behind that many own bytes. Not private, or Swift 6.3.1 fails to
    /// compile the end of the queue in other files ("broken module").
    struct Insert {
        let position: Int
        let segment: any OutputSegment
    }

    /// What is needed for shared bytes only: most connections never have any. Owned by its queue,
    /// which serialises all access.
    final class Shared {
        // SAFETY: no code of others runs while the queue uses them.
        @exclusivity(unchecked) fileprivate var inserts = RingBuffer<Insert>()
        /// Bytes of the first insert that were sent.
        @exclusivity(unchecked) fileprivate var insertSent = 0
        /// Own bytes that were sent since the inserts were last empty.
        @exclusivity(unchecked) fileprivate var ownSent = 0
        /// Unsent bytes of the inserts.
        @exclusivity(unchecked) fileprivate var count = 0
    }

    /// The own bytes. Writers append to it.
    @usableFromInline var own = ByteBuffer()
    /// Made for the first shared bytes.
    private var shared: Shared?

    /// The most slices of one system call.
    static let sliceLimit = 64

    /// Bytes that wait, own and shared.
    var count: Int { own.readableBytes &+ sharedBytes }
    var isEmpty: Bool { count == 0 }
    var hasShared: Bool { sharedBytes > 0 }
    var sharedBytes: Int { unsafe shared?.count ?? 0 }

    /// An upper bound of the slices of the whole queue.
    var sliceCountBound: Int {
        guard let shared, unsafe shared.count > 0 else { return 1 }
        return 2 * (unsafe shared.inserts.count) + 1
    }

    /// Inserts a segment in front of the last `tail` own bytes, and behind all other segments.
    mutating func append(_ segment: any OutputSegment, before tail: Int = 0) {
        let count = segment.count
        if count == 0 { return }
        let shared = self.shared ?? Shared()
        self.shared = shared
        let position = unsafe shared.ownSent + own.readableBytes - tail
        unsafe shared.inserts.append(Insert(position: position, segment: segment))
        unsafe shared.count += count
    }

    /// Lends the first slices to the closure: at most `sliceLimit`. The queue is not empty.
    borrowing func withSlices<Result>(
        _ body: (UnsafeBufferPointer<IOSlice>) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        // SAFETY: the slices point into `own` and into segments that `inserts` keeps alive; both
        // stay put while self is borrowed, and neither leaves the closure.
        unsafe try withUnsafeTemporaryAllocation(of: IOSlice.self, capacity: Self.sliceLimit) {
            (space) throws(SystemError) -> Result in
            let count = unsafe fill(space)
            return unsafe try body(UnsafeBufferPointer(rebasing: space[..<count]))
        }
    }

    private borrowing func fill(_ space: UnsafeMutableBufferPointer<IOSlice>) -> Int {
        var count = 0
        var ownOffset = 0
        unsafe own.withUnsafeBytes { bytes in
            if let shared, unsafe shared.count > 0 {
                var skip = unsafe shared.insertSent
                for index in 0..<(unsafe shared.inserts.count) {
                    let insert = unsafe shared.inserts[index]
                    let ownEnd = insert.position - (unsafe shared.ownSent)
                    if ownEnd > ownOffset, count < space.count {
                        unsafe space.initializeElement(
                            at: count,
                            to: IOSlice(
                                UnsafeRawBufferPointer(rebasing: bytes[ownOffset..<ownEnd])))
                        ownOffset = ownEnd
                        count += 1
                    }
                    if count == space.count { return }
                    unsafe insert.segment.withUnsafeBytes { segment in
                        unsafe space.initializeElement(
                            at: count,
                            to: IOSlice(UnsafeRawBufferPointer(rebasing: segment[skip...])))
                    }
                    skip = 0
                    count += 1
                    if count == space.count { return }
                }
            }
            if ownOffset < bytes.count {
                unsafe space.initializeElement(
                    at: count, to: IOSlice(UnsafeRawBufferPointer(rebasing: bytes[ownOffset...])))
                count += 1
            }
        }
        return count
    }

    /// Removes the first `count` bytes: the kernel has taken them.
    mutating func sent(_ count: Int) {
        precondition(
            count >= 0 && count <= self.count, "OutputQueue: more bytes sent than were queued")
        guard let shared, unsafe shared.count > 0 else {
            own.consume(count)
            return
        }
        var left = count
        while left > 0 {
            let insert = unsafe shared.inserts.first
            let ownBefore =
                insert.map { $0.position - (unsafe shared.ownSent) } ?? own.readableBytes
            guard let insert, ownBefore <= 0 else {
                let taken = min(left, ownBefore)
                own.consume(taken)
                unsafe shared.ownSent += taken
                left -= taken
                continue
            }
            let rest = insert.segment.count - (unsafe shared.insertSent)
            let taken = min(left, rest)
            unsafe shared.insertSent += taken
            unsafe shared.count -= taken
            left -= taken
            if taken == rest { Self.dropFirstInsert(of: shared) }
        }
    }

    private static func dropFirstInsert(of shared: Shared) {
        _ = unsafe shared.inserts.popFirst()
        unsafe shared.insertSent = 0
        if unsafe !shared.inserts.isEmpty { return }
        unsafe shared.inserts.shrink(to: keptInserts)
        unsafe shared.ownSent = 0
    }

    /// The number of inserts whose memory stays allocated while none waits.
    private static let keptInserts = 16

    /// Removes everything and frees all memory.
    mutating func removeAll() { self = OutputQueue() }
}

/// Immutable bytes that an output sends from where they are. Any thread.
@_spi(Transport) public protocol OutputSegment: AnyObject, Sendable {
    /// How many bytes there are. Never changes.
    var count: Int { get }
    /// Calls `body` once with the bytes, whose memory stays where it is as long as the segment lives.
    func withUnsafeBytes(_ body: (UnsafeRawBufferPointer) -> Void)
}

@_spi(Transport) extension SharedBytes: OutputSegment {
    /// Lends the bytes.
    public func withUnsafeBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        // SAFETY: the pointer does not leave the closure.
        unsafe buffer.withUnsafeBytes { unsafe body($0) }
    }
}

/// Immutable bytes that can be sent to many peers without a copy for each. Any thread.
public final class SharedBytes: Sendable {
    /// The bytes.
    public let buffer: ByteBuffer

    /// Takes ownership of the buffer.
    public init(_ buffer: consuming ByteBuffer) { self.buffer = buffer }

    /// Copies the bytes once.
    public init(_ bytes: [UInt8]) {
        var buffer = ByteBuffer()
        buffer.append(bytes)
        self.buffer = buffer
    }

    /// How many bytes there are.
    public var count: Int { buffer.readableBytes }
}

/// Whether the output of a connection is above its high water mark. A pure value.
///
/// ```
/// below --a write passes the high mark--> passed --a flush leaves more than the low mark--> above
///   ^                                        |                                                |
///   +------------ a flush leaves no more than the low mark -----------------------------------+
/// ```
/// `passed` is set by the write itself, so that a producer can stop within the tick. It is never
/// left silently: a producer that has observed it waits for the event that `flushed` returns, and
/// would wait for ever without one.
enum WaterMark: UInt8 {
    /// The connection is writable.
    case below
    /// Not writable; the next flush decides whether the kernel takes enough. The handler has not
    /// been notified.
    case passed
    /// Not writable, and the handler was notified. The peer reads more slowly than this side
    /// writes.
    case above

    /// Records a flush that left `waiting` bytes.
    ///
    /// - Returns: the `isWritable` that the handler has to be notified of; nil: of nothing.
    mutating func flushed(waiting: Int, lowMark: Int) -> Bool? {
        if self == .below { return nil }
        if waiting <= lowMark {
            self = .below
            return true
        }
        if self == .above { return nil }
        self = .above
        return false
    }
}
