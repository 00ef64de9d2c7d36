import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// The sessions that live on one loop: what they say in a tick becomes one batch, and every
/// batch of the room is put into each of their queues. Bound to its loop.
final class LoopSessions: TickEndHandler {
    /// Consecutive messages of one session in the batch that is being made.
    private struct Part {
        let speaker: UInt64
        var range: Range<Int>
    }

    let seats: RoomShards
    let seat: RoomShard
    let logger: RocketLogger
    private(set) var limits: ChatLimits
    private(set) var codec: LengthFieldCodec
    private unowned let reactor: Reactor
    private var sessions: [ChatSession] = []
    private var joined: UInt64 = 0

    private var batch = ByteBuffer()
    private var parts: [Part] = []
    private var pace = BroadcastThrottle()
    private let time: any TimeSource
    /// The batch goes out at the end of this tick, or when the pause is over.
    private var isScheduled = false
    /// When the last fan-out began, until all its writes are done.
    private var fanOutBegan: MonotonicTime?
    /// Counts batches made here, so that a session knows whether it has a part in the present one.
    private(set) var batchNumber: UInt64 = 1
    /// No session is listened to any more.
    private(set) var isClosing = false

    /// A batch goes out when it has so many bytes, also before the tick's end.
    static let batchBytes = 64 << 10

    init(
        seat: RoomShard, seats: RoomShards, limits: ChatLimits, logger: RocketLogger,
        time: any TimeSource, on reactor: Reactor
    ) {
        self.time = time
        self.seat = seat
        self.seats = seats
        self.limits = limits
        self.logger = logger
        self.reactor = reactor
        codec = LengthFieldCodec(maxPayloadBytes: limits.maxMessageBytes)
    }

    // MARK: Coming and going

    func add(_ session: ChatSession) {
        joined += 1
        session.id = joined
        session.slot = sessions.count
        sessions.append(session)
        seat.sessionJoined()
    }

    func remove(_ session: ChatSession) {
        let last = sessions.removeLast()
        if last !== session {
            sessions[session.slot] = last
            last.slot = session.slot
        }
        seat.sessionLeft()
    }

    /// New limits, for the sessions that are here and those that come.
    func update(_ limits: ChatLimits) {
        self.limits = limits
        codec = LengthFieldCodec(maxPayloadBytes: limits.maxMessageBytes)
        for session in sessions { session.limitsChanged() }
    }

    /// Listens to nobody any more, and sends what was said on its way.
    func close() {
        isClosing = true
        for session in sessions { session.stopListening() }
        seal()
    }

    // MARK: Speaking

    /// One message, to everybody but its speaker.
    func say(_ speaker: ChatSession, _ text: RawSpan) {
        let start = batch.readableBytes
        ChatMessage.append(speaker.prefix, text, to: &batch)
        let end = batch.readableBytes
        let id = speaker.id
        if let last = parts.indices.last, parts[last].speaker == id {
            parts[last].range = parts[last].range.lowerBound..<end
        } else {
            parts.append(Part(speaker: id, range: start..<end))
        }
        speaker.spokeIn = batchNumber
        if end >= Self.batchBytes { return seal() }
        schedule()
    }

    private func schedule() {
        if isScheduled { return }
        isScheduled = true
        guard let pause = pace.pause(reactor.now) else { return reactor.observeTickEnd(self) }
        reactor.schedule(at: pause, label: "chat fan-out") { [weak self] _ in self?.seal() }
    }

    /// Sends the tick's batch on its way; the connections flush in the same tick.
    func tickEnding(on reactor: Reactor) { if isScheduled { seal() } }

    private func fanOutEnded() {
        guard let began = fanOutBegan.take() else { return }
        pace.record(began: began, ended: time.monotonic())
    }

    /// The batch is whole: one encoding, shared by all queues here and on the other loops.
    private func seal() {
        isScheduled = false
        if batch.isEmpty { return }
        let isFirst = fanOutBegan == nil
        if isFirst { fanOutBegan = time.monotonic() }
        var full = ByteBuffer()
        swap(&full, &batch)
        let bytes = SharedBytes(full)
        seats.forward(bytes, from: seat)
        for session in sessions {
            if session.spokeIn == batchNumber {
                deliverParts(of: bytes, to: session)
            } else {
                session.deliver(bytes)
            }
        }
        parts.removeAll(keepingCapacity: true)
        batchNumber += 1
        // Behind the connections that have something to write now.
        if isFirst { reactor.observeTickEnd(FanOutEnd { [weak self] in self?.fanOutEnded() }) }
    }

    /// All but its own.
    private func deliverParts(of bytes: SharedBytes, to session: ChatSession) {
        for part in parts where part.speaker != session.id { session.deliver(bytes, part.range) }
    }

    /// Whether another loop has so much to take in that nobody is listened to here for a while.
    var isHeldUp: Bool { seats.isBehind(besides: seat) }

    /// A batch that was made on another loop.
    func deliver(_ bytes: SharedBytes) {
        for session in sessions { session.deliver(bytes) }
    }
}

/// Stands in the list of the tick's end behind the connections that write.
private final class FanOutEnd: TickEndHandler {
    private let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
    func tickEnding(on reactor: Reactor) { body() }
}
