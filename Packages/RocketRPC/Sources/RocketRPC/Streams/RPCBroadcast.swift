public import RocketBase
import RocketRuntime
import RocketSystem
public import SwiftProtobuf

/// Sends each message to any number of streams: it is encoded once, and each stream takes it as fast
/// as its reader reads. Any thread.
///
/// ```swift
/// let changes = RPCBroadcast(for: OrderMethods.watchOrders, slowReaders: .dropOldest(keeping: 256))
///
/// func watchOrders(
///     _ request: WatchOrdersRequest, _ responses: RPCWriter<OrderEvent>, _ call: RPCController
/// ) async throws {
///     try await changes.send(to: responses)
/// }
/// …
/// changes.send(event)
/// ```
///
/// A stream that does not keep up holds no other up, and costs at most what its policy keeps.
public final class RPCBroadcast<Element: Message & Sendable>: Sendable {
    /// What becomes of messages for a stream whose reader is slower than the sender.
    public struct SlowReaderPolicy: Sendable {
        fileprivate enum Excess: Sendable {
            case dropOldest
            case disconnect
        }

        fileprivate let limit: Int
        fileprivate let excess: Excess
        fileprivate let notice: (@Sendable (Int) -> Element)?

        /// The oldest messages are dropped.
        ///
        /// - Parameters:
        ///   - limit: the most messages that wait for one stream; at least 1.
        ///   - notice: makes the message that the stream receives in their place, from their number;
        ///     nil, the default: none.
        public static func dropOldest(
            keeping limit: Int, notice: (@Sendable (Int) -> Element)? = nil
        ) -> Self {
            Self(limit: max(1, limit), excess: .dropOldest, notice: notice)
        }

        /// Only the newest message waits: for states, of which only the latest matters.
        public static var latestOnly: Self { dropOldest(keeping: 1) }

        /// The stream ends with RESOURCE_EXHAUSTED.
        ///
        /// - Parameter limit: the most messages that wait for one stream; at least 1.
        public static func disconnect(above limit: Int) -> Self {
            Self(limit: max(1, limit), excess: .disconnect, notice: nil)
        }
    }

    private struct State: ~Copyable {
        /// All streams; those in the order of their subscriptions, unless streams came or went since.
        private(set) var readers = OrderedObjects<BroadcastReader>()
        private var ordered: [BroadcastReader]?
        var ending: RPCError??

        mutating func insert(_ reader: BroadcastReader) {
            readers.insert(reader)
            ordered = nil
        }

        mutating func remove(_ reader: BroadcastReader) {
            readers.remove(reader)
            ordered = nil
        }

        /// Sorts them after a change only: not with each message.
        mutating func inOrder() -> [BroadcastReader] {
            if let ordered { return ordered }
            let sorted = readers.inOrder
            ordered = sorted
            return sorted
        }
    }

    private let coding: _RPCMessageCoding<Element>
    private let policy: SlowReaderPolicy
    private let maxReaders: Int
    private let state = Locked(State())

    /// - Parameters:
    ///   - method: the method whose streams receive the messages.
    ///   - slowReaders: what becomes of messages that a stream does not take in time. Default: the
    ///     oldest of more than 1024 are dropped.
    ///   - maxStreams: the most streams; a further one fails with RESOURCE_EXHAUSTED. Default
    ///     65,536.
    public init<Request>(
        for method: RPCMethod<Request, Element>,
        slowReaders: SlowReaderPolicy = .dropOldest(keeping: 1024), maxStreams: Int = 65_536
    ) {
        coding = method.response
        policy = slowReaders
        maxReaders = maxStreams
    }

    /// How many streams receive the messages now.
    public var streamCount: Int { state.withLock { $0.readers.count } }

    /// Sends a message to all streams. Does not wait.
    ///
    /// - Throws: `RPCError` ERROR_FAILED_SERIALIZE for a message that can't be serialized.
    public func send(_ message: Element) throws(RPCError) {
        let readers = state.withLock { $0.inOrder() }
        if readers.isEmpty { return }
        let bytes = try encode(message)
        for reader in readers { reader.append(bytes, policy.limit, policy.excess == .disconnect) }
    }

    private func encode(_ message: Element) throws(RPCError) -> [UInt8] {
        var buffer = ByteBuffer()
        do { try coding.append(message, to: &buffer) } catch {
            throw RPCError(.failedSerialize, "the message can't be serialized", cause: error)
        }
        return buffer.copyBytes()
    }

    /// Ends all streams, behind the messages that wait for them, and each later one.
    ///
    /// - Parameter error: what `send(to:)` throws, and so the error of the calls; nil, the default:
    ///   none.
    public func finish(throwing error: RPCError? = nil) {
        let readers = state.withLock { state in
            if state.ending == nil { state.ending = .some(error) }
            return state.inOrder()
        }
        for reader in readers { reader.end(error) }
    }

    /// Sends to a stream what is broadcast from now on, until `finish`, the end of the call, or
    /// where the policy disconnects the stream.
    ///
    /// - Throws: `RPCError`: the error of the call, of `finish`, or RESOURCE_EXHAUSTED.
    public nonisolated(nonsending) func send(
        to writer: RPCWriter<Element>
    ) async throws(RPCError) {
        try await subscribe(writer).send()
    }

    /// Keeps for a stream what is broadcast from now on, as far as the policy allows: so that a
    /// handler can first write what came before. What was broadcast before this call is not in it.
    ///
    /// - Returns: the messages, which wait until `send()` is called. They are not kept any more when
    ///   nobody holds it.
    /// - Throws: `RPCError` RESOURCE_EXHAUSTED above `maxStreams`.
    public func subscribe(_ writer: RPCWriter<Element>) throws(RPCError) -> Subscription {
        let reader = BroadcastReader(writer.handle.stream.outbound)
        try add(reader)
        return Subscription(self, reader, writer)
    }

    /// What a stream receives of a broadcast. Any thread.
    public final class Subscription: Sendable {
        private let broadcast: RPCBroadcast
        private let reader: BroadcastReader
        private let writer: RPCWriter<Element>

        fileprivate init(
            _ broadcast: RPCBroadcast, _ reader: BroadcastReader, _ writer: RPCWriter<Element>
        ) {
            self.broadcast = broadcast
            self.reader = reader
            self.writer = writer
        }

        deinit { broadcast.remove(reader) }

        /// Sends what waits and what comes, until `finish`, the end of the call, or where the policy
        /// disconnects the stream. For one task.
        ///
        /// - Throws: as `RPCBroadcast.send(to:)`.
        public nonisolated(nonsending) func send() async throws(RPCError) {
            defer { broadcast.remove(reader) }
            while let (bytes, dropped) = try await reader.next() {
                if dropped > 0, let notice = broadcast.policy.notice {
                    try await writer.write(notice(dropped))
                }
                try await writer.write(encoded: bytes)
            }
        }
    }

    private func remove(_ reader: BroadcastReader) {
        state.withLock { $0.remove(reader) }
    }

    private func add(_ reader: BroadcastReader) throws(RPCError) {
        let refusal = state.withLock { state -> RPCError? in
            if let ending = state.ending {
                reader.end(ending)
                return nil
            }
            if state.readers.count >= maxReaders {
                return RPCError(.resourceExhausted, "\(maxReaders) streams receive this already")
            }
            state.insert(reader)
            return nil
        }
        if let refusal { throw refusal }
    }
}

/// The messages that wait for one stream of a broadcast. Any thread; one task takes them.
// SAFETY: the continuation is resumed once: whoever takes it out of the state, under the lock.
@safe private final class BroadcastReader: Sendable {
    // SAFETY: as above.
    @safe private struct State: ~Copyable {
        var messages = RingBuffer<[UInt8]>()
        var dropped = 0
        var isEnded = false
        var error: RPCError?
        var waiter: UnsafeContinuation<Void, Never>?
    }

    private let state = Locked(State())
    private let outbound: OutboundMessages

    init(_ outbound: OutboundMessages) { self.outbound = outbound }

    func append(_ bytes: [UInt8], _ limit: Int, _ disconnects: Bool) {
        let (waiter, isFull) = unsafe state.withLock {
            state -> (UnsafeContinuation<Void, Never>?, Bool) in
            if state.isEnded { return (nil, false) }
            if state.messages.count >= limit {
                if disconnects { return (nil, true) }
                _ = state.messages.popFirst()
                state.dropped += 1
            }
            state.messages.append(bytes)
            return unsafe (state.waiter.take(), false)
        }
        unsafe waiter?.resume()
        if isFull { disconnect(limit) }
    }

    /// Ends the stream, whose handler usually waits until it may write.
    private func disconnect(_ limit: Int) {
        let error = RPCError(
            .resourceExhausted,
            "the reader is too slow: \(limit) messages wait, the most that may")
        state.withLock { $0.messages = RingBuffer() }
        end(error)
        outbound.end(error)
    }

    func end(_ error: RPCError?) {
        let waiter = unsafe state.withLock { state in
            if !state.isEnded {
                state.isEnded = true
                state.error = error
            }
            return unsafe state.waiter.take()
        }
        unsafe waiter?.resume()
    }

    /// The next message and how many were dropped before it; waits for it. nil: there are no more.
    nonisolated(nonsending) func next() async throws(RPCError) -> ([UInt8], Int)? {
        while true {
            let (message, isEnded, error) = state.withLock {
                state -> (([UInt8], Int)?, Bool, RPCError?) in
                guard let bytes = state.messages.popFirst() else {
                    return (nil, state.isEnded, state.error)
                }
                defer { state.dropped = 0 }
                return ((bytes, state.dropped), false, nil)
            }
            if let message { return message }
            if let error { throw error }
            if isEnded { return nil }
            if Task.isCancelled { throw RPCError(.cancelled, "the task was cancelled") }
            await wait()
        }
    }

    private nonisolated(nonsending) func wait() async {
        await unsafe suspendTask {
            let waiter = unsafe state.withLock { unsafe $0.waiter.take() }
            unsafe waiter?.resume()
        } _: { continuation in
            let isReady = state.withLock { state in
                if state.isEnded || !state.messages.isEmpty || Task.isCancelled { return true }
                unsafe state.waiter = continuation
                return false
            }
            if isReady { unsafe continuation.resume() }
        }
    }
}
