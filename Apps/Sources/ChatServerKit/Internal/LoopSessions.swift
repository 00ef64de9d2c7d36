import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// The sessions that live on one loop. Messages that they send within a tick become one batch, and
/// every batch of the room is queued for each of them. Bound to its loop.
final class LoopSessions: TickEndHandler {
    /// Consecutive messages of one sender in the current batch.
    private struct Run {
        let sender: UInt64
        var range: Range<Int>
    }

    let shards: RoomShards
    let shard: RoomShard
    let logger: RocketLogger
    private(set) var limits: ChatLimits
    private(set) var codec: LengthFieldCodec
    private unowned let reactor: Reactor
    private var sessions: [ChatSession] = []
    private var joinedSessions: UInt64 = 0

    private var batch = ByteBuffer()
    private var batchMessages = 0
    private var runs: [Run] = []
    private var throttle = BroadcastThrottle()
    private let time: any TimeSource
    /// The batch goes out at the end of this tick, or at the end of the pause.
    private var isScheduled = false
    /// When the last broadcast began, until all its writes are done.
    private var broadcastBegan: MonotonicTime?
    /// The number of the current batch. A session compares it with the batch it last sent in.
    private(set) var batchNumber: UInt64 = 1
    /// Messages of these sessions are not taken any more.
    private(set) var isClosing = false

    /// A batch of this size goes out before the end of the tick.
    static let batchBytes = 64 << 10

    init(
        shard: RoomShard, shards: RoomShards, limits: ChatLimits, logger: RocketLogger,
        time: any TimeSource, on reactor: Reactor
    ) {
        self.time = time
        self.shard = shard
        self.shards = shards
        self.limits = limits
        self.logger = logger
        self.reactor = reactor
        codec = LengthFieldCodec(maxPayloadBytes: limits.maxMessageBytes)
    }

    // MARK: Joining and leaving

    func add(_ session: ChatSession) {
        joinedSessions += 1
        session.id = joinedSessions
        session.index = sessions.count
        sessions.append(session)
        shard.sessionJoined()
        if let notice = shards.backplane?.joinNotice { session.notify(notice) }
    }

    /// What is behind the number in the names of the sessions.
    var nameSuffix: String { shards.backplane?.nameSuffix ?? "" }

    /// The names of the sessions have another suffix.
    func serverRenamed() {
        for session in sessions { session.rename() }
    }

    func remove(_ session: ChatSession) {
        let last = sessions.removeLast()
        if last !== session {
            sessions[session.index] = last
            last.index = session.index
        }
        shard.sessionLeft()
    }

    /// Applies new limits to present and future sessions.
    func update(_ limits: ChatLimits) {
        self.limits = limits
        codec = LengthFieldCodec(maxPayloadBytes: limits.maxMessageBytes)
        for session in sessions { session.limitsChanged() }
    }

    /// Stops taking messages, and sends the current batch.
    func close() {
        isClosing = true
        for session in sessions { session.pauseReading() }
        flushBatch()
    }

    // MARK: Broadcasting

    /// Appends one message to the batch, for all sessions but its sender.
    func broadcast(_ text: RawSpan, from sender: ChatSession) {
        batchMessages += 1
        let start = batch.readableBytes
        ChatMessage.append(sender.prefix, text, to: &batch)
        let end = batch.readableBytes
        let id = sender.id
        if let last = runs.indices.last, runs[last].sender == id {
            runs[last].range = runs[last].range.lowerBound..<end
        } else {
            runs.append(Run(sender: id, range: start..<end))
        }
        sender.lastBatch = batchNumber
        if end >= Self.batchBytes { return flushBatch() }
        schedule()
    }

    private func schedule() {
        if isScheduled { return }
        isScheduled = true
        guard let end = throttle.pauseEnd(reactor.now) else {
            return reactor.observeTickEnd(self)
        }
        reactor.schedule(at: end, label: "chat broadcast") { [weak self] _ in
            self?.flushBatch()
        }
    }

    /// Flushes the batch; connections write their output at the end of the same tick.
    func tickEnding(on reactor: Reactor) { if isScheduled { flushBatch() } }

    private func broadcastEnded() {
        guard let began = broadcastBegan.take() else { return }
        throttle.record(began: began, ended: time.monotonic())
    }

    /// Ends the batch: its bytes, encoded once, are shared by the queues of this loop and of the
    /// others.
    private func flushBatch() {
        isScheduled = false
        if batch.isEmpty { return }
        let isFirst = broadcastBegan == nil
        if isFirst { broadcastBegan = time.monotonic() }
        var full = ByteBuffer()
        swap(&full, &batch)
        let bytes = SharedBytes(full)
        shards.forward(bytes, from: shard)
        shards.backplane?.publish(bytes, count: batchMessages, from: shard.loop)
        batchMessages = 0
        for session in sessions {
            if session.lastBatch == batchNumber {
                deliverOthers(of: bytes, to: session)
            } else {
                session.deliver(bytes)
            }
        }
        runs.removeAll(keepingCapacity: true)
        batchNumber += 1
        // Runs behind the connections that have output now.
        if isFirst {
            reactor.observeTickEnd(BroadcastEnd { [weak self] in self?.broadcastEnded() })
        }
    }

    /// Delivers the runs of all other senders.
    private func deliverOthers(of bytes: SharedBytes, to session: ChatSession) {
        for run in runs where run.sender != session.id { session.deliver(bytes, run.range) }
    }

    /// Whether another loop has so much to deliver that sessions of this one must wait.
    var isOverloaded: Bool { shards.isOverloaded(besides: shard) }

    /// Delivers a batch of another loop.
    func deliver(_ bytes: SharedBytes) {
        for session in sessions { session.deliver(bytes) }
    }
}

/// Observes the end of the tick behind the connections that write.
private final class BroadcastEnd: TickEndHandler {
    private let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
    func tickEnding(on reactor: Reactor) { body() }
}

/// Decides when the next broadcast may begin: after a pause that lets further messages go along in
/// one write per receiver. A pure value.
///
/// Writing to a thousand receivers takes milliseconds, most of them in the kernel, whether each
/// gets one message or ten. So the pause after a broadcast is half the time that it took, at most
/// `longestPause`; a message that arrives later than that, as in a quiet room, does not wait.
struct BroadcastThrottle {
    private var earliest = MonotonicTime(nanoseconds: 0)

    static let longestPause = Duration.milliseconds(5)

    /// Records a broadcast, its writes included.
    mutating func record(began: MonotonicTime, ended: MonotonicTime) {
        earliest = ended + min((ended - began) / 2, Self.longestPause)
    }

    /// Returns when the messages of this moment may go out; nil: at once.
    func pauseEnd(_ now: MonotonicTime) -> MonotonicTime? { earliest > now ? earliest : nil }
}
