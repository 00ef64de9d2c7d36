public import RocketBase
public import RocketReactor
import RocketSystem
public import SwiftProtobuf

/// What a reader and a writer of a stream share. On a channel its end cancels the call, unless that
/// has ended. Any thread.
@usableFromInline
final class StreamHandle: Sendable {
    @usableFromInline let stream: CallStream
    /// Calls `stream.update()`.
    @usableFromInline let update: @Sendable (Reactor) -> Void
    private let released: (@Sendable () -> Void)?

    /// - Parameter released: called when nobody holds the handle any more.
    init(_ stream: CallStream, released: (@Sendable () -> Void)? = nil) {
        self.stream = stream
        self.released = released
        update = { _ in stream.update() }
    }

    deinit { released?() }

    @usableFromInline
    func notify(consumed: Int = 0) { stream.notify(consumed: consumed, update: update) }
}

/// The messages that the other side of a call sends, in their order: the requests in a handler, the
/// responses on a channel. For one consumer at a time. Any thread.
///
/// ```swift
/// for try await point in points { … }
/// ```
///
/// Ends when the other side has finished; throws an `RPCError` when the call has failed: its
/// deadline has passed, it was cancelled, its connection has ended, a message is invalid. The other
/// side may send no more than a window (256 KiB) of messages that have not been read.
public struct RPCMessageStream<Element: Message & Sendable>: AsyncSequence, Sendable {
    @usableFromInline let handle: StreamHandle
    @usableFromInline let coding: _RPCMessageCoding<Element>

    init(_ handle: StreamHandle, _ coding: _RPCMessageCoding<Element>) {
        self.handle = handle
        self.coding = coding
    }

    /// Creates an iterator. All iterators of a stream take from the same messages.
    @inlinable
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// Takes the messages one by one.
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let stream: RPCMessageStream

        @inlinable
        init(_ stream: RPCMessageStream) { self.stream = stream }

        /// Returns the next message; waits for it. nil: there are no more.
        ///
        /// - Throws: `RPCError`: the error of the call; CANCELLED when the task was cancelled;
        ///   ERROR_FAILED_DESERIALIZE for an invalid message.
        @inlinable
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(RPCError) -> Element? {
            try await stream.take()
        }

        /// The same, for callers without typed errors.
        @inlinable
        public mutating func next() async throws(RPCError) -> Element? {
            try await stream.take()
        }
    }

    @inlinable
    nonisolated(nonsending) func take() async throws(RPCError) -> Element? {
        let inbound = handle.stream.inbound
        while true {
            if let message = try read() { return message }
            let (step, consumed) = inbound.refill()
            if consumed > 0 { handle.notify(consumed: consumed) }
            switch step {
            case .read: continue
            case .ended(let error):
                if let error { throw error }
                return nil
            case .wait:
                if Task.isCancelled { throw RPCError(.cancelled, "the task was cancelled") }
                await inbound.wait()
            }
        }
    }

    /// Takes a message out of the reader; nil if there is none.
    @inlinable
    func read() throws(RPCError) -> Element? {
        var message: Element?
        guard
            let consumed = handle.stream.inbound.read({ message = try? coding.message(from: $0) })
        else { return nil }
        if consumed > 0 { handle.notify(consumed: consumed) }
        if message == nil {
            throw RPCError(
                .failedDeserialize,
                "a message of the stream is no valid \(Element.protoMessageName)")
        }
        return message
    }
}

/// Sends messages to the other side of a call: the responses in a handler, the requests on a
/// channel. Any thread; messages of concurrent tasks are sent in the order in which `write` returns.
public struct RPCWriter<Element: Message & Sendable>: Sendable {
    @usableFromInline let handle: StreamHandle
    @usableFromInline let coding: _RPCMessageCoding<Element>

    init(_ handle: StreamHandle, _ coding: _RPCMessageCoding<Element>) {
        self.handle = handle
        self.coding = coding
    }

    /// Sends a message. Suspends while the reader has not read what was sent before: while it gives
    /// no credit, or 64 KiB wait to be sent. Returns when the message waits to be sent.
    ///
    /// - Throws: `RPCError`: the error of the call, when that has ended; CANCELLED when the task was
    ///   cancelled; ERROR_FAILED_SERIALIZE and RESOURCE_EXHAUSTED for a message that can't be
    ///   serialized or is too large, which ends nothing.
    @inlinable
    public nonisolated(nonsending) func write(_ message: Element) async throws(RPCError) {
        try await append { (buffer) throws(RPCError) in
            do { try coding.append(message, to: &buffer) } catch {
                throw RPCError(
                    .failedSerialize, "the message can't be serialized", cause: error)
            }
        }
    }

    /// Ends the writing at once: `write`, also where it waits for the reader, throws the error, and
    /// what waits to be sent is dropped. A handler that throws that error on ends its call with it,
    /// whether its reader reads or not. Any thread; only the first end of a call has an effect.
    public func fail(_ error: RPCError) { handle.stream.outbound.end(error) }

    /// Sends a serialized message.
    nonisolated(nonsending) func write(encoded bytes: [UInt8]) async throws(RPCError) {
        try await append { (buffer) throws(RPCError) in buffer.append(bytes) }
    }

    @usableFromInline
    nonisolated(nonsending) func append(
        _ encode: (inout ByteBuffer) throws(RPCError) -> Void
    ) async throws(RPCError) {
        let outbound = handle.stream.outbound
        while try !outbound.append(encode) {
            if Task.isCancelled {
                outbound.resumeWriters()
                throw RPCError(.cancelled, "the task was cancelled")
            }
            await outbound.waitForRoom()
        }
        handle.notify()
    }
}
