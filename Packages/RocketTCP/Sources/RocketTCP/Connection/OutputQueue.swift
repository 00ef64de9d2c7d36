public import RocketBase
import RocketSystem

/// What waits to be sent on one connection, in order: bytes of its own in one buffer, and shared
/// bytes that lie between them without a copy.
///
/// ```
/// stream:  own own own | shared A | own own | shared B | own   <- appended here
/// own:     own own own              own own              own   one ByteBuffer
/// inserts: A after 3 own bytes, B after 5
/// ```
/// A value without a socket: `withPieces` lends what to send next, `sent` takes off what went.
@usableFromInline
struct OutputQueue: ~Copyable {
    /// A shared segment and where it stands: after that many own bytes ever appended. Not private:
    /// Swift 6.3.1 fails to end a queue of private elements from other files (broken module).
    struct Insert {
        let position: Int
        let segment: SharedBytes
    }

    /// Bytes of our own; append freely at its end.
    @usableFromInline var own = ByteBuffer()
    private var inserts = RingBuffer<Insert>()
    /// How much of the first insert was sent.
    private var insertSent = 0
    /// Own bytes sent since the inserts were last empty.
    private var ownSent = 0
    /// Unsent bytes of the inserts.
    private var sharedCount = 0

    /// A send takes at most this many pieces.
    static let pieceLimit = 64

    /// All bytes that wait.
    var count: Int { own.readableBytes &+ sharedCount }
    var isEmpty: Bool { count == 0 }
    var hasShared: Bool { sharedCount > 0 }

    /// No fewer than `withPieces` has to lend for everything.
    var piecesAtMost: Int { hasShared ? 2 * inserts.count + 1 : 1 }

    mutating func append(_ segment: SharedBytes) {
        if segment.count == 0 { return }
        inserts.append(Insert(position: ownSent + own.readableBytes, segment: segment))
        sharedCount += segment.count
    }

    /// The first pieces that wait, for the time of the closure. Not empty.
    borrowing func withPieces<Result>(
        _ body: (UnsafeBufferPointer<IOSlice>) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        // SAFETY: the pieces point into `own` and into segments that `inserts` keeps alive; both
        // stay put while self is borrowed, and neither leaves the closure.
        unsafe try withUnsafeTemporaryAllocation(of: IOSlice.self, capacity: Self.pieceLimit) {
            (space) throws(SystemError) -> Result in
            let count = unsafe fill(space)
            return unsafe try body(UnsafeBufferPointer(rebasing: space[..<count]))
        }
    }

    private borrowing func fill(_ space: UnsafeMutableBufferPointer<IOSlice>) -> Int {
        var count = 0
        var ownOffset = 0
        var skip = insertSent
        unsafe own.withUnsafeBytes { bytes in
            for index in 0..<inserts.count {
                let insert = inserts[index]
                let ownEnd = insert.position - ownSent
                if ownEnd > ownOffset, count < space.count {
                    unsafe space.initializeElement(
                        at: count,
                        to: IOSlice(UnsafeRawBufferPointer(rebasing: bytes[ownOffset..<ownEnd])))
                    ownOffset = ownEnd
                    count += 1
                }
                if count == space.count { return }
                unsafe insert.segment.buffer.withUnsafeBytes { shared in
                    unsafe space.initializeElement(
                        at: count,
                        to: IOSlice(UnsafeRawBufferPointer(rebasing: shared[skip...])))
                }
                skip = 0
                count += 1
                if count == space.count { return }
            }
            if ownOffset < bytes.count {
                unsafe space.initializeElement(
                    at: count, to: IOSlice(UnsafeRawBufferPointer(rebasing: bytes[ownOffset...])))
                count += 1
            }
        }
        return count
    }

    /// Takes the first `count` bytes off: they are on their way.
    mutating func sent(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "OutputQueue: sent more than waited")
        if sharedCount == 0 {
            own.consume(count)
            return
        }
        var left = count
        while left > 0 {
            let insert = inserts.first
            let ownBefore = insert.map { $0.position - ownSent } ?? own.readableBytes
            guard let insert, ownBefore <= 0 else {
                let taken = min(left, ownBefore)
                own.consume(taken)
                ownSent += taken
                left -= taken
                continue
            }
            let rest = insert.segment.count - insertSent
            let taken = min(left, rest)
            insertSent += taken
            sharedCount -= taken
            left -= taken
            if taken == rest { dropFirstInsert() }
        }
    }

    private mutating func dropFirstInsert() {
        _ = inserts.popFirst()
        insertSent = 0
        if !inserts.isEmpty { return }
        inserts.shrink(to: Self.keptInserts)
        ownSent = 0
    }

    /// Room for so many inserts stays allocated while none waits.
    private static let keptInserts = 16

    /// Forgets everything and gives all memory back.
    mutating func removeAll() { self = OutputQueue() }
}
