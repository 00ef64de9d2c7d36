public import RocketBase
import RocketRuntime
import RocketSystem

/// The messages of a stream that have arrived and wait to be read, in serialized form: the loop
/// appends, one consumer reads. Any thread. In steady state nothing is allocated.
///
/// How much it holds is bounded by the window that the peer has been given, and by one message,
/// which may be larger than the window.
// SAFETY: a continuation is resumed once: whoever takes it out of the state, under the lock.
@safe @usableFromInline
final class InboundMessages: Sendable {
    /// What became of a part of a message.
    enum Part: Equatable {
        /// Kept; that many bytes count as consumed at once.
        case kept(consumed: Int)
        /// Nobody reads any more: all of it counts as consumed.
        case dropped
        /// The message is larger than allowed.
        case tooLarge(Int)
    }

    /// In front of each message: its length and what it counts for, as UInt32 each.
    static let headerBytes = 8

    // SAFETY: the continuation is only resumed by whoever takes it out, under the lock.
    @safe private struct Queue: ~Copyable {
        /// Complete messages, each behind a header.
        var complete = ByteBuffer()
        /// The message whose rest has not arrived.
        var unfinished = ByteBuffer()
        /// What the parts of it count for that do not count as consumed yet.
        var unfinishedCost = 0
        /// Consumers that wait, in their order; normally one.
        var waiters: [Waiter] = []
        var lastWaiter = 0
        var isEnded = false
        var error: RPCError?
        /// Whether any part of a message has arrived.
        var hasReceived = false
        /// The bytes of all messages that have arrived.
        var receivedBytes = 0

        /// Whether a consumer has something to do: parts that have arrived since its `refill` may be
        /// all that the sender has credit for.
        var isReady: Bool { isEnded || !complete.isEmpty || unfinishedCost > 0 }

        /// Appends a message behind a header.
        mutating func append(_ bytes: RawSpan, cost: Int) {
            complete.append(bigEndian: UInt32(truncatingIfNeeded: bytes.byteCount))
            complete.append(bigEndian: UInt32(truncatingIfNeeded: cost))
            complete.append(bytes)
        }
    }

    // SAFETY: the continuation is only resumed by whoever takes it out of the queue.
    @safe private struct Waiter {
        let number: Int
        let continuation: UnsafeContinuation<Void, Never>
    }

    /// The messages that the consumer has taken out of the queue, in one piece.
    private struct Reader: ~Copyable {
        var messages = ByteBuffer()
        /// What the messages that have been read count for.
        var consumed = 0
    }

    private let queue = Locked(Queue())
    private let reader = Locked(Reader())
    /// The largest message, in bytes.
    private let maxMessageBytes: Int
    /// With more consumed bytes than this the loop is notified at once.
    private let notifyBytes: Int

    init(maxMessageBytes: Int, windowBytes: Int) {
        self.maxMessageBytes = maxMessageBytes
        notifyBytes = max(1, windowBytes / 4)
    }

    // MARK: The loop's side

    /// The bytes of all messages that have arrived.
    var receivedBytes: Int { queue.withLock { $0.receivedBytes } }

    /// Takes a part of a message.
    ///
    /// - Parameters:
    ///   - isLast: whether it completes the message.
    ///   - cost: what it counts for.
    func append(_ part: RawSpan, isLast: Bool, cost: Int) -> Part {
        var waiter: Waiter?
        let result = queue.withLock { queue -> Part in
            if queue.isEnded { return .dropped }
            queue.hasReceived = true
            queue.receivedBytes &+= part.byteCount
            let total = queue.unfinished.readableBytes + part.byteCount
            if total > maxMessageBytes { return .tooLarge(total) }
            if !isLast {
                queue.unfinished.append(part)
                queue.unfinishedCost += cost
                // The consumer waits for this message: its sender needs credit for the rest.
                if queue.waiters.isEmpty || !queue.complete.isEmpty { return .kept(consumed: 0) }
                defer { queue.unfinishedCost = 0 }
                return .kept(consumed: queue.unfinishedCost)
            }
            if queue.unfinished.isEmpty {
                queue.append(part, cost: cost)
            } else {
                queue.unfinished.append(part)
                let cost = queue.unfinishedCost + cost
                var whole = ByteBuffer()
                swap(&whole, &queue.unfinished)
                whole.withBytes { queue.append($0, cost: cost) }
                queue.unfinishedCost = 0
            }
            if !queue.waiters.isEmpty { waiter = queue.waiters.removeFirst() }
            return .kept(consumed: 0)
        }
        unsafe waiter?.continuation.resume()
        return result
    }

    /// Ends the stream behind the messages that it has. Only the first call has an effect, and one
    /// that drops messages. Any thread.
    func end(_ error: RPCError? = nil, dropsMessages: Bool = false) {
        let waiters = queue.withLock { queue -> [Waiter] in
            if dropsMessages {
                queue.complete = ByteBuffer()
                queue.error = queue.error ?? error
            } else if !queue.isEnded {
                queue.error = queue.unfinished.isEmpty ? error : error ?? Self.endsWithin
            }
            queue.unfinished = ByteBuffer()
            queue.unfinishedCost = 0
            queue.isEnded = true
            defer { queue.waiters = [] }
            return queue.waiters
        }
        for waiter in waiters { unsafe waiter.continuation.resume() }
    }

    private static let endsWithin = RPCError(.failedDecode, "the stream ended within a message")

    /// Whether any part of a message has arrived.
    var hasReceived: Bool { queue.withLock { $0.hasReceived } }

    // MARK: The consumer's side

    /// What the consumer has to do next.
    @usableFromInline
    enum Step {
        /// Messages are in the reader.
        case read
        case wait
        case ended(RPCError?)
    }

    /// Passes the next message that is in the reader to `body`.
    ///
    /// - Returns: nil if the reader is empty; otherwise what counts as consumed now.
    @usableFromInline
    func read(_ body: (RawSpan) -> Void) -> Int? {
        reader.withLock { reader in
            if reader.messages.isEmpty { return nil }
            let length = Int(reader.messages.integer(at: 0, as: UInt32.self))
            reader.consumed += Int(reader.messages.integer(at: 4, as: UInt32.self))
            let start = Self.headerBytes
            reader.messages.withBytes { body($0.extracting(start..<(start + length))) }
            reader.messages.consume(start + length)
            if reader.consumed < notifyBytes { return 0 }
            defer { reader.consumed = 0 }
            return reader.consumed
        }
    }

    /// Moves what has arrived to the reader, unless another consumer has done that.
    ///
    /// - Returns: what to do, and what counts as consumed beside what the reader has counted.
    @usableFromInline
    func refill() -> (Step, consumed: Int) {
        reader.withLock { reader in
            if !reader.messages.isEmpty { return (.read, 0) }
            let consumed = reader.consumed
            reader.consumed = 0
            return queue.withLock { queue in
                if !queue.complete.isEmpty {
                    swap(&reader.messages, &queue.complete)
                    return (.read, consumed)
                }
                if queue.isEnded { return (.ended(queue.error), consumed) }
                defer { queue.unfinishedCost = 0 }
                return (.wait, consumed + queue.unfinishedCost)
            }
        }
    }

    /// Suspends until there is a message, the stream has ended, or the task is cancelled.
    @usableFromInline
    nonisolated(nonsending) func wait() async {
        let number = queue.withLock { queue in
            queue.lastWaiter &+= 1
            return queue.lastWaiter
        }
        await unsafe suspendTask {
            resume(number)
        } _: { continuation in
            // Both, since another consumer may have moved messages to the reader since `refill`.
            let isReady = reader.withLock { reader in
                if !reader.messages.isEmpty { return true }
                return queue.withLock { queue in
                    if queue.isReady || Task.isCancelled { return true }
                    unsafe queue.waiters.append(
                        Waiter(number: number, continuation: continuation))
                    return false
                }
            }
            if isReady { unsafe continuation.resume() }
        }
    }

    private func resume(_ number: Int) {
        let waiter = queue.withLock { queue -> Waiter? in
            let index = queue.waiters.firstIndex { $0.number == number }
            return index.map { queue.waiters.remove(at: $0) }
        }
        unsafe waiter?.continuation.resume()
    }
}
