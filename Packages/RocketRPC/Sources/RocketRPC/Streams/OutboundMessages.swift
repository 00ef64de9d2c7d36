public import RocketBase
import RocketRuntime
import RocketSystem

/// The messages of a stream that wait to be sent, in serialized form: writers append, the loop takes
/// them as far as the peer has given credit. Any thread. In steady state nothing is allocated.
///
/// Writers suspend while the peer gives no credit, or while `bufferBytes` wait: a producer that is
/// faster than its reader holds no more than that and one message.
// SAFETY: a continuation is resumed once: whoever takes it out of the state, under the lock.
@safe @usableFromInline
final class OutboundMessages: Sendable {
    /// Writers suspend while more bytes than this wait to be sent.
    static let bufferBytes = 64 << 10

    private struct Queue: ~Copyable {
        /// Messages, each behind its length as UInt32.
        var messages = ByteBuffer()
        /// The bytes of the first message that have been sent.
        var sentOfFirst = 0
        var credit: SendCredit
        /// What all messages that were appended count for.
        var appended: UInt64 = 0
        /// Whether no more messages are appended.
        var isFinished = false
        var isEndSent = false
        /// Why nothing can be sent any more.
        var error: RPCError?
        /// Tasks that wait until they may write, or until everything is sent; in their order.
        var waiters: [Waiter] = []
        var lastWaiter = 0
        /// How long writers have waited.
        var waited: UInt64 = 0

        init(limit: UInt64) { credit = SendCredit(limit: limit) }

        /// Whether a writer may append a message.
        var hasRoom: Bool {
            messages.readableBytes < bufferBytes && appended < credit.limit
        }

        /// Whether a writer need not wait: it may append, or fails.
        var isReady: Bool { isFinished || error != nil || hasRoom }
    }

    // SAFETY: the continuation is only resumed by whoever takes it out of the queue.
    @safe private struct Waiter {
        let number: Int
        let continuation: UnsafeContinuation<Void, Never>
        let isForAll: Bool
    }

    private let queue: Locked<Queue>
    /// The largest message, in bytes.
    private let maxMessageBytes: Int
    /// Whether the peer is sent an end behind the last message: on a channel, for a stream of
    /// requests.
    private let sendsEnd: Bool
    /// Measures how long writers wait; nil: nothing does.
    private let time: (any TimeSource)?
    private static let finished = RPCError(.failedPrecondition, "the stream was finished before")

    /// - Parameter limit: how many bytes may be sent until the peer gives more credit.
    init(
        limit: UInt64, maxMessageBytes: Int, sendsEnd: Bool = false, time: (any TimeSource)? = nil
    ) {
        queue = Locked(Queue(limit: limit))
        self.maxMessageBytes = maxMessageBytes
        self.sendsEnd = sendsEnd
        self.time = time
    }

    /// The bytes of all messages that were written; an empty one counts as one byte.
    var writtenBytes: Int { queue.withLock { Int(clamping: $0.appended) } }

    /// How long writers have waited for the peer to read, in nanoseconds: the sum of all waits that have
    /// ended. 0 without a clock.
    var waitedNanoseconds: UInt64 { queue.withLock { $0.waited } }

    // MARK: The writers' side

    /// Appends a message where a writer may.
    ///
    /// - Returns: false if the writer has to wait.
    /// - Throws: the reason why nothing can be sent any more, or the error of `encode`.
    @usableFromInline
    func append(
        _ encode: (inout ByteBuffer) throws(RPCError) -> Void
    ) throws(RPCError) -> Bool {
        // The next writer may have waited behind this one, whatever becomes of its message.
        var hasWaiters = false
        defer { if hasWaiters { resumeWriters() } }
        return try queue.withLock { queue throws(RPCError) in
            hasWaiters = !queue.waiters.isEmpty
            if let error = queue.error { throw error }
            if queue.isFinished { throw Self.finished }
            if !queue.hasRoom { return false }
            let start = queue.messages.readableBytes
            queue.messages.append(bigEndian: 0 as UInt32)
            do throws(RPCError) {
                try encode(&queue.messages)
                try check(queue.messages.readableBytes - start - 4)
            } catch {
                queue.messages.truncate(to: start)
                throw error
            }
            let count = queue.messages.readableBytes - start - 4
            queue.messages.set(bigEndian: UInt32(truncatingIfNeeded: count), at: start)
            queue.appended &+= UInt64(max(1, count))
            return true
        }
    }

    private func check(_ bytes: Int) throws(RPCError) {
        if bytes <= maxMessageBytes { return }
        throw RPCError(
            .resourceExhausted,
            "the message has \(bytes) bytes; \(maxMessageBytes) are allowed")
    }

    /// Suspends until a writer may append, or the stream has ended, or the task is cancelled.
    @usableFromInline
    nonisolated(nonsending) func waitForRoom() async {
        guard let time else { return await wait(forAll: false) }
        let began = time.monotonic().nanoseconds
        await wait(forAll: false)
        let waited = time.monotonic().nanoseconds &- began
        queue.withLock { $0.waited &+= waited }
    }

    /// Suspends until all messages have been sent.
    ///
    /// - Throws: the reason why that is not possible any more.
    nonisolated(nonsending) func waitUntilSent() async throws(RPCError) {
        while true {
            let (isSent, error) = queue.withLock { ($0.messages.isEmpty, $0.error) }
            if let error { throw error }
            if isSent { return }
            if Task.isCancelled { throw RPCError(.cancelled, "the task was cancelled") }
            await wait(forAll: true)
        }
    }

    private nonisolated(nonsending) func wait(forAll isForAll: Bool) async {
        let number = queue.withLock { queue in
            queue.lastWaiter &+= 1
            return queue.lastWaiter
        }
        await unsafe suspendTask {
            resume(number)
        } _: { continuation in
            let isReady = queue.withLock { queue in
                if queue.error != nil || Task.isCancelled { return true }
                if isForAll ? queue.messages.isEmpty : queue.isReady { return true }
                unsafe queue.waiters.append(
                    Waiter(number: number, continuation: continuation, isForAll: isForAll))
                return false
            }
            if isReady { unsafe continuation.resume() }
        }
    }

    private func resume(_ number: Int) {
        let waiter = queue.withLock { queue -> Waiter? in
            guard let index = queue.waiters.firstIndex(where: { $0.number == number }) else {
                return nil
            }
            return queue.waiters.remove(at: index)
        }
        unsafe waiter?.continuation.resume()
    }

    /// No more messages are appended: writers fail from now on. What was appended is still sent, and
    /// on a channel the end behind it. Again: no effect.
    func finish() {
        queue.withLock { $0.isFinished = true }
        resumeWriters()
    }

    /// Nothing is ever written, and no end is sent: the peer knows that.
    func finishSilently() { end(RPCError(.internal, "the method takes no stream")) }

    // MARK: The loop's side

    /// Nothing was sent, and the call is sent, or sent again on another connection.
    ///
    /// - Parameter limit: how much its peer is known to take at first: that of an earlier connection
    ///   does not count.
    func restart(limit: UInt64) {
        queue.withLock { queue in
            queue.credit = SendCredit(limit: limit)
            queue.isEndSent = false
        }
        resumeWriters()
    }

    /// Ends the stream: what waits is dropped, and writers fail. Only the first call has an effect.
    func end(_ error: RPCError) {
        let waiters = queue.withLock { queue -> [Waiter] in
            if queue.error == nil {
                queue.error = error
                queue.messages = ByteBuffer()
            }
            defer { queue.waiters = [] }
            return queue.waiters
        }
        for waiter in waiters { unsafe waiter.continuation.resume() }
    }

    /// The peer has given credit.
    ///
    /// - Returns: whether there is more to send than before.
    func raiseLimit(to limit: UInt64) -> Bool {
        let (isRaised, hasMore) = queue.withLock { queue in
            (queue.credit.raise(to: limit), !queue.messages.isEmpty || queue.isFinished)
        }
        if isRaised { resumeWriters() }
        return isRaised && hasMore
    }

    /// What can be sent now.
    enum Next: Equatable {
        /// A part of a message was passed on.
        case part(cost: Int)
        /// All messages have been sent, and the end has not.
        case end
        /// There is nothing, or no credit of the peer.
        case nothing
    }

    /// Passes the next part of a message to `body`: at most `limit` bytes.
    ///
    /// - Parameter body: receives the part and whether it completes its message.
    func takePart(atMost limit: Int, _ body: (RawSpan, Bool) -> Void) -> Next {
        let next = queue.withLock { queue -> Next in
            if queue.error != nil { return .nothing }
            guard let length = Self.firstLength(queue.messages) else { return takeEnd(&queue) }
            let left = Int(length) - queue.sentOfFirst
            let allowed = min(limit, queue.credit.available)
            if allowed < 1 { return .nothing }
            let count = min(left, allowed)
            let start = 4 + queue.sentOfFirst
            queue.messages.withBytes { bytes in
                body(bytes.extracting(start..<(start + count)), count == left)
            }
            if count == left {
                queue.messages.consume(4 + Int(length))
                queue.sentOfFirst = 0
            } else {
                queue.sentOfFirst += count
            }
            let cost = StreamFrame.cost(ofBytes: count)
            queue.credit.spend(cost)
            return .part(cost: cost)
        }
        if case .part = next { resumeWriters() }
        return next
    }

    /// Not before the peer has given credit: only then it is known to understand the end.
    private func takeEnd(_ queue: inout Queue) -> Next {
        if !sendsEnd || !queue.isFinished || queue.isEndSent || queue.credit.limit == 0 {
            return .nothing
        }
        queue.isEndSent = true
        return .end
    }

    private static func firstLength(_ messages: borrowing ByteBuffer) -> UInt32? {
        messages.isEmpty ? nil : messages.integer(at: 0, as: UInt32.self)
    }

    /// Resumes the first writer if it may write, and those that wait for the end of all messages.
    /// Each writer that was resumed resumes the next one, by `append`.
    @usableFromInline
    func resumeWriters() {
        while let waiter = queue.withLock({ queue -> Waiter? in
            if queue.waiters.isEmpty { return nil }
            let (isSent, isReady) = (queue.messages.isEmpty, queue.isReady)
            let index = queue.waiters.firstIndex { $0.isForAll ? isSent : isReady }
            return index.map { queue.waiters.remove(at: $0) }
        }) {
            unsafe waiter.continuation.resume()
            if !waiter.isForAll { return }
        }
    }

    /// The bytes that wait to be sent.
    var heldBytes: Int { queue.withLock { $0.messages.readableBytes } }

    /// Whether any message, or a part of one, has been sent.
    var hasSent: Bool { queue.withLock { $0.credit.sent > 0 } }
}
