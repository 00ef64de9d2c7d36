import RocketBase
public import RocketReactor
import RocketSystem
import Synchronization

/// The messages of one streaming call in both directions, of a server or a channel. Any thread; the
/// loop of its connection moves the messages.
@safe @usableFromInline
final class CallStream: Sendable {
    @usableFromInline let loop: EventLoop
    @usableFromInline let inbound: InboundMessages
    @usableFromInline let outbound: OutboundMessages
    // SAFETY: used on the loop's thread only.
    /// Its place in its connection; nil before the call is sent, and once it has ended.
    nonisolated(unsafe) var entry: StreamEntry?
    /// What the consumer has read and the loop has not counted yet.
    private let consumed = Atomic(0)
    /// Whether `update` is on its way to the loop.
    private let isUpdateScheduled = Atomic(false)
    private let hasEnded = Atomic(false)

    /// - Parameters:
    ///   - limit: how many bytes may be sent until the peer gives more credit.
    ///   - sendsEnd: whether the peer is sent an end behind the last message.
    ///   - measuresWaits: whether it is measured how long writers wait.
    init(
        on loop: EventLoop, limit: UInt64, maxOutboundBytes: Int, maxInboundBytes: Int,
        windowBytes: Int, sendsEnd: Bool = false, measuresWaits: Bool = false
    ) {
        self.loop = loop
        inbound = InboundMessages(maxMessageBytes: maxInboundBytes, windowBytes: windowBytes)
        outbound = OutboundMessages(
            limit: limit, maxMessageBytes: maxOutboundBytes, sendsEnd: sendsEnd,
            time: measuresWaits ? loop.time : nil)
    }

    /// Records that the consumer has read messages, or that there is more to send.
    ///
    /// - Parameter update: calls `update()`. Passed in, so that one closure serves all messages; the
    ///   stream can't keep it, since the closure retains the stream.
    @usableFromInline
    func notify(consumed bytes: Int, update: @escaping @Sendable (Reactor) -> Void) {
        if bytes > 0 { consumed.wrappingAdd(bytes, ordering: .relaxed) }
        if loop.isInLoop { return self.update() }
        if isUpdateScheduled.exchange(true, ordering: .acquiringAndReleasing) { return }
        // A loop that has ended has ended the stream, too.
        loop.execute(update)
    }

    /// On the loop.
    @usableFromInline
    func update() {
        // Acquires what was written before the `notify` that has found it scheduled.
        _ = isUpdateScheduled.exchange(false, ordering: .acquiringAndReleasing)
        let bytes = consumed.exchange(0, ordering: .relaxed)
        guard let entry = unsafe entry else { return }
        if bytes > 0 { entry.connection.consumed(bytes, by: entry) }
        entry.connection.enqueue(entry)
    }

    /// Ends both directions with an error: messages that wait are dropped.
    func end(_ error: RPCError) {
        outbound.end(error)
        inbound.end(error, dropsMessages: true)
    }

    /// Whether the call of a channel has ended.
    var isCallEnded: Bool { hasEnded.load(ordering: .acquiring) }

    /// Whether the call can be sent again: nothing was sent or received yet.
    var canRestart: Bool { !outbound.hasSent && !inbound.hasReceived }

    /// The call is sent again on another connection. On the loop.
    func leaveConnection() {
        if let entry = unsafe entry { entry.connection.remove(entry) }
    }

    /// The call of a channel has ended: by a reply, behind the messages that have been received, or
    /// by an error of this side. On the loop, or before the call was handed to it.
    func callEnded(_ error: RPCError? = nil, byReply: Bool = false) {
        leaveConnection()
        hasEnded.store(true, ordering: .releasing)
        outbound.end(error ?? RPCError(.cancelled, "the call has ended"))
        inbound.end(error, dropsMessages: !byReply)
    }
}

/// The loop's part of a stream: its place in the connection that carries it. Bound to the loop.
final class StreamEntry {
    let id: [UInt8]
    let hash: UInt64
    let stream: CallStream
    unowned let connection: ConnectionStreams
    /// What the peer may send.
    var window: ReceiveWindow
    /// Whether it is in the queue of streams with messages to send.
    var isQueued = false
    /// The bytes that waited to be sent when it was looked at last.
    var outboundBytes = 0
    /// The memory that received messages were counted with last.
    var inboundBytes = 0
    /// What the parts of the message count for whose rest has not arrived: also those that count as
    /// consumed, because the consumer waits for the rest.
    var unfinishedBytes = 0
    /// About so many messages wait to be read.
    var messages = 0
    /// When a message came or went last.
    var lastActivity: MonotonicTime
    /// Called with the initial metadata that the server has sent.
    var receivedHeaders: ((RPCMetadata) -> Void)?
    /// Returns the initial metadata that is sent before the first message, once; nil: none.
    var takeHeaders: (() -> ByteBuffer?)?
    /// Whether the messages that are sent may be compressed.
    var compresses = true
    /// The call whose handler says that before its first message; nil: it is known.
    var undecided: (storage: CallStorage, generation: UInt64)?
    /// Its slot in the table of the connection.
    let slot: Int

    /// An estimate of the memory that the received messages take, from above but for the size of one
    /// window: an empty message counts as one byte and takes nine.
    var inboundMemory: Int {
        let held = window.heldBytes
        return max(held, unfinishedBytes) + InboundMessages.headerBytes * min(messages, held)
    }

    /// Asks the call whether its messages may be compressed, when the first one waits to be sent.
    func decideCompression() {
        guard let (storage, generation) = undecided, stream.outbound.heldBytes > 0 else { return }
        compresses = storage.withState(of: generation) { $0.compressesReply } ?? true
        undecided = nil
    }

    init(
        id: [UInt8], hash: UInt64, slot: Int, _ stream: CallStream, window: ReceiveWindow,
        on connection: ConnectionStreams, now: MonotonicTime
    ) {
        self.id = id
        self.hash = hash
        self.slot = slot
        self.stream = stream
        self.window = window
        self.connection = connection
        lastActivity = now
    }
}

/// Finds the streams of a connection by the bytes of their msg_id, which the peer may have chosen: a
/// hash with a random seed. A value that can't be copied.
struct StreamTable: ~Copyable {
    private var index = HashIndex()
    private var slots: [StreamEntry?] = []
    private var free: [Int] = []
    private let seed: UInt64

    init(seed: UInt64) { self.seed = seed }

    var count: Int { index.count }

    /// In the order of their slots.
    var all: [StreamEntry] { slots.compactMap(\.self) }

    func hash(_ id: RawSpan) -> UInt64 { byteHash(id, seed: seed) }

    func hash(_ id: [UInt8]) -> UInt64 {
        // SAFETY: the array lives, unchanged, until hash returns.
        hash(unsafe id.span.bytes)
    }

    func find(_ id: RawSpan) -> StreamEntry? {
        let slot = index.find(hash(id)) { slot in
            slots[slot].map { StreamFrame.matches(id, $0.id) } ?? false
        }
        return slot.flatMap { slots[$0] }
    }

    /// The slot that the next entry takes.
    var nextSlot: Int { free.last ?? slots.count }

    mutating func insert(_ entry: StreamEntry) {
        if let last = free.last, last == entry.slot {
            free.removeLast()
            slots[entry.slot] = entry
        } else {
            slots.append(entry)
        }
        index.insert(entry.hash, entry.slot)
    }

    mutating func remove(_ entry: StreamEntry) {
        index.remove(entry.hash, entry.slot)
        slots[entry.slot] = nil
        free.append(entry.slot)
    }
}
