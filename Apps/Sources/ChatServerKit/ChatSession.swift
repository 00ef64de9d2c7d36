public import RocketBase
import RocketCodec
public import RocketReactor
import RocketSystem
public import RocketTCP

/// One client in the room: takes its messages out of its connection's input, and holds what waits
/// for it when it reads too slowly. Owned by its connection's loop; every function is for that
/// loop's thread only.
public final class ChatSession: TCPConnectionHandler {
    /// `client1`, `client2`, … in order of connecting; empty before the connection is up.
    public private(set) var name = ""
    /// Messages of this session that went to the others.
    public private(set) var sentMessages = 0
    /// Messages for this session that were dropped, since it read too slowly.
    public private(set) var droppedMessages = 0
    /// Messages of this session that were refused.
    public private(set) var refusedMessages = 0

    let audience: LoopSessions
    private(set) var prefix: [UInt8] = []
    /// Which one of its audience it is, for ever: an object's address may be used again.
    var id: UInt64 = 0
    /// Its place in the audience's list.
    var slot = 0
    /// The last batch that it has a part in.
    var spokeIn: UInt64 = 0

    /// Nil before it is up, and from the moment on when it leaves.
    private var connection: TCPConnection?
    private var queue = ReceiverQueue()
    /// What the seat knows of the queue.
    private var countedBytes = 0
    private var countedDropped = 0
    private var rate: MessageRate
    private var rateTimer: ScheduledTimer?
    private var isEnrolled = false

    init(audience: LoopSessions) {
        self.audience = audience
        // Begins anew when the connection is up and there is a time.
        rate = MessageRate(perSecond: 0, burst: 1, now: MonotonicTime(nanoseconds: 0))
    }

    /// Bytes that wait for it besides those that its connection holds.
    public var queuedBytes: Int { queue.byteCount }

    // MARK: TCPConnectionHandler

    /// Joins the room.
    public func connected(_ connection: TCPConnection) {
        self.connection = connection
        name = "client\(connection.number)"
        prefix = ChatMessage.prefix(of: name)
        rate = MessageRate(
            perSecond: audience.limits.messagesPerSecond, burst: audience.limits.messageBurst,
            now: connection.reactor.now)
        audience.add(self)
        audience.logger.info("client joined") {
            $0.add("name", name)
            $0.add("peer", connection.peerAddress)
        }
        if audience.isClosing { connection.pauseReading() }
    }

    /// Says the whole messages of the input to the others.
    public func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        do {
            let taken = try input.withBytes { (bytes) throws(FrameError) in
                try take(from: bytes, now: connection.reactor.now)
            }
            input.consume(taken.byteCount)
            if taken.isTooMuch { holdUp(connection) }
        } catch {
            refuse(error, connection)
        }
    }

    /// Sends on what was held back.
    public func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        if isWritable { sendQueue() }
    }

    /// Sends all that waits, then closes.
    public func draining(_ connection: TCPConnection) { leave(connection, .drained) }

    /// The client leaves, as `exit` does, but still gets what waits for it.
    public func inputEnded(_ connection: TCPConnection) { leave(connection, .peerFinished) }

    /// Leaves the room.
    public func closed(_ connection: TCPConnection, reason: CloseReason) {
        self.connection = nil
        rateTimer?.cancel()
        rateTimer = nil
        audience.remove(self)
        audience.logger.info("client left") {
            $0.add("name", name)
            $0.add("peer", connection.peerAddress)
            $0.add("reason", reason)
            $0.add("sent", sentMessages)
            $0.add("dropped", droppedMessages)
            $0.add("refused", refusedMessages)
        }
        queue.removeAll()
        countQueue()
    }

    private func leave(_ connection: TCPConnection, _ reason: CloseReason) {
        self.connection = nil
        while let piece = queue.next() { send(piece, connection) }
        connection.close(.afterFlush, reason: reason)
    }

    private func leaveNow(_ connection: TCPConnection, _ reason: CloseReason) {
        self.connection = nil
        connection.close(.now, reason: reason)
    }
}

// MARK: - What it says

extension ChatSession {
    /// Takes whole messages from the front, as many as are there and as the session may send.
    private func take(from bytes: RawSpan, now: MonotonicTime) throws(FrameError)
        -> (byteCount: Int, isTooMuch: Bool)
    {
        if audience.isClosing || audience.isHeldUp { return (0, true) }
        var offset = 0
        while case .frame(let text, let size) = try audience.codec.step(bytes.extracting(offset...))
        {
            if !rate.take(now) { return (offset, true) }
            take(bytes.extracting((offset + text.lowerBound)..<(offset + text.upperBound)))
            offset += size
        }
        return (offset, false)
    }

    private func take(_ text: RawSpan) {
        if let problem = ChatMessage.problem(in: text) { return refuse(problem) }
        sentMessages += 1
        audience.say(self, text)
    }

    /// The text goes to nobody, and its sender is told; the rest of the stream is sound.
    private func refuse(_ problem: String) {
        refusedMessages += 1
        connection?.write {
            ChatMessage.append(notice: ChatMessage.refusedNotice(problem), to: &$0)
        }
        // One that goes on does not fill the log: the 1st, 2nd, 4th, 8th, … of a session.
        if refusedMessages & (refusedMessages - 1) != 0 { return }
        audience.logger.warn("message refused") {
            $0.add("name", name)
            $0.add("reason", problem)
            $0.add("refused", refusedMessages)
        }
    }

    /// Where the next message begins can't be known any more.
    private func refuse(_ error: FrameError, _ connection: TCPConnection) {
        audience.logger.warn("client disconnected, its stream breaks a rule") {
            $0.add("name", name)
            $0.add("peer", connection.peerAddress)
            $0.add("reason", error)
        }
        leaveNow(connection, .rejected(error.description))
    }

    /// For those who wait for other loops, and have messages left.
    private static var shortestPause: Duration { .milliseconds(2) }

    /// It has said enough for now: not read from until it may go on.
    private func holdUp(_ connection: TCPConnection) {
        connection.pauseReading()
        if audience.isClosing || rateTimer != nil { return }
        let wait = max(rate.wait(), Self.shortestPause)
        rateTimer = connection.reactor.schedule(after: wait, label: "chat rate limit") {
            [weak self] _ in
            self?.rateTimer = nil
            self?.goOn()
        }
    }

    private func goOn() { if !audience.isClosing { connection?.resumeReading() } }

    /// The room closes.
    func stopListening() { connection?.pauseReading() }

    /// The audience has new limits.
    func limitsChanged() {
        guard let connection else { return }
        let limits = audience.limits
        rate.change(
            perSecond: limits.messagesPerSecond, burst: limits.messageBurst,
            now: connection.reactor.now)
        if rateTimer == nil { return }
        rateTimer?.cancel()
        rateTimer = nil
        goOn()
    }
}

// MARK: - What it gets

extension ChatSession: TickEndHandler {
    /// Puts a batch into its queue; sent at the tick's end.
    func deliver(_ bytes: SharedBytes) {
        guard let connection else { return }
        if queue.isEmpty, connection.isWritable { return connection.write(shared: bytes) }
        hold(bytes, 0..<bytes.count, connection)
    }

    /// Puts a part of a batch into its queue.
    func deliver(_ bytes: SharedBytes, _ range: Range<Int>) {
        guard let connection else { return }
        if queue.isEmpty, connection.isWritable {
            return send(.messages(bytes, range), connection)
        }
        hold(bytes, range, connection)
    }

    private func hold(_ bytes: SharedBytes, _ range: Range<Int>, _ connection: TCPConnection) {
        queue.append(bytes, range)
        let limits = audience.limits
        if queue.byteCount > limits.queueBytes {
            if limits.slowReceiver == .disconnect {
                let waiting = queue.byteCount + connection.pendingBytes
                return leaveNow(connection, .outputLimit(bytes: waiting))
            }
            drop(downTo: limits.queueBytes, connection)
        }
        countQueue()
        // What this tick brought may be sent at its end, and make room.
        if isEnrolled { return }
        isEnrolled = true
        connection.reactor.observeTickEnd(self)
    }

    private func drop(downTo limit: Int, _ connection: TCPConnection) {
        let isFirst = droppedMessages == 0
        droppedMessages += queue.dropOldest(downTo: limit)
        if !isFirst { return }
        audience.logger.warn("client reads too slowly, its oldest messages are dropped") {
            $0.add("name", name)
            $0.add("peer", connection.peerAddress)
        }
    }

    /// After the connection's flush.
    public func tickEnding(on reactor: Reactor) {
        isEnrolled = false
        sendQueue()
    }

    private func sendQueue() {
        guard let connection else { return }
        while connection.isWritable, let piece = queue.next() { send(piece, connection) }
        countQueue()
    }

    private func countQueue() {
        audience.seat.queueChanged(
            by: queue.byteCount - countedBytes, dropped: droppedMessages - countedDropped)
        (countedBytes, countedDropped) = (queue.byteCount, droppedMessages)
    }

    private func send(_ piece: ReceiverQueue.Piece, _ connection: TCPConnection) {
        switch piece {
        case .dropped(let count):
            connection.write {
                ChatMessage.append(notice: ChatMessage.droppedNotice(count), to: &$0)
            }
        case .messages(let bytes, let range):
            if range.count == bytes.count { return connection.write(shared: bytes) }
            connection.write { output in
                bytes.buffer.withBytes { output.append($0.extracting(range)) }
            }
        }
    }
}
