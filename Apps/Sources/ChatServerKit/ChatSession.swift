public import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
public import RocketTCP

/// One client in the room: takes whole messages out of the input of its connection, and queues
/// messages for a client that reads too slowly. Owned by the loop of its connection; every function
/// is for the thread of that loop only.
public final class ChatSession: TCPConnectionHandler {
    /// `client1`, `client2`, … in the order of connecting; with a backplane `client1@SERVER`. Empty
    /// before the connection is up.
    public private(set) var name = ""
    /// Messages of this session that were broadcast.
    public private(set) var sentMessages = 0
    /// Messages for this session that were dropped because it read too slowly.
    public private(set) var droppedMessages = 0
    /// Messages of this session that were refused.
    public private(set) var refusedMessages = 0

    let sessions: LoopSessions
    private(set) var prefix: [UInt8] = []
    /// Unique on its loop for ever. An object's address would not do: it may be reused.
    var id: UInt64 = 0
    /// The index in the list of the loop's sessions.
    var index = 0
    /// The last batch that contains a message of this session.
    var lastBatch: UInt64 = 0

    /// Nil before the connection is up, and from the moment at which the session leaves.
    private var connection: TCPConnection?
    private var queue = ReceiverQueue()
    /// What the shard has counted of the queue.
    private var countedBytes = 0
    private var countedDropped = 0
    private var rate: MessageRate
    private var rateTimer: ScheduledTimer?

    init(sessions: LoopSessions) {
        self.sessions = sessions
        // Replaced when the connection is up and a time is known.
        rate = MessageRate(perSecond: 0, burst: 1, now: MonotonicTime(nanoseconds: 0))
    }

    /// Bytes queued for this session, besides those in the output buffer of its connection.
    public var queuedBytes: Int { queue.byteCount }

    // MARK: TCPConnectionHandler

    /// Joins the room.
    public func connected(_ connection: TCPConnection) {
        self.connection = connection
        rename()
        rate = MessageRate(
            perSecond: sessions.limits.messagesPerSecond, burst: sessions.limits.messageBurst,
            now: connection.reactor.now)
        sessions.add(self)
        sessions.logger.throttled(.info, "client joined")?.info("client joined") {
            $0.add("name", name)
            $0.add("peer", connection.peerAddress)
        }
    }

    /// Takes the name that it has now: that of the server may have changed.
    func rename() {
        guard let connection else { return }
        name = "client\(connection.number)\(sessions.nameSuffix)"
        prefix = ChatMessage.prefix(of: name)
    }

    /// Sends a notice of the server itself, which is dropped if the client reads too slowly.
    func notify(_ notice: String) {
        guard let connection, connection.isWritable else { return }
        connection.write { ChatMessage.append(notice: notice, to: &$0) }
    }

    /// Broadcasts the whole messages of the input.
    public func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        do {
            let taken = try input.withBytes { (bytes) throws(FrameError) in
                try takeMessages(from: bytes, now: connection.reactor.now)
            }
            input.consume(taken.byteCount)
            if taken.mustPause { pause(connection) }
        } catch {
            disconnect(error, connection)
        }
    }

    /// Sends from the queue. Called whenever the connection was not writable, at the end of the
    /// flush that makes it writable (`TCPConnection.isWritable`).
    public func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        if isWritable { sendQueue() }
    }

    /// Sends the queue, then closes.
    public func draining(_ connection: TCPConnection) { leave(connection, .drained) }

    /// Sends the queue, then closes: a client that ends its side leaves, but still reads.
    public func inputEnded(_ connection: TCPConnection) { leave(connection, .peerFinished) }

    /// Leaves the room.
    public func closed(_ connection: TCPConnection, reason: CloseReason) {
        self.connection = nil
        rateTimer?.cancel()
        rateTimer = nil
        sessions.remove(self)
        sessions.logger.throttled(.info, "client left")?.info("client left") {
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
        while let element = nextQueued(connection) { send(element, connection) }
        connection.close(.afterFlush, reason: reason)
    }

    private func leaveNow(_ connection: TCPConnection, _ reason: CloseReason) {
        self.connection = nil
        connection.close(.now, reason: reason)
    }
}

// MARK: - Messages of this session

extension ChatSession {
    /// Broadcasts whole messages from the front, as many as are complete and as the rate allows.
    ///
    /// - Returns: the bytes of these messages, and whether reading must pause before the next one.
    private func takeMessages(from bytes: RawSpan, now: MonotonicTime) throws(FrameError)
        -> (byteCount: Int, mustPause: Bool)
    {
        if sessions.isClosing || sessions.isOverloaded { return (0, true) }
        var offset = 0
        while case .frame(let text, let size) = try sessions.codec.step(bytes.extracting(offset...))
        {
            if !rate.take(now) { return (offset, true) }
            take(bytes.extracting((offset + text.lowerBound)..<(offset + text.upperBound)))
            offset += size
        }
        return (offset, false)
    }

    private func take(_ text: RawSpan) {
        if let error = ChatMessage.encodingError(in: text) { return refuse(error) }
        sentMessages += 1
        sessions.broadcast(text, from: self)
    }

    /// Notifies the sender instead of broadcasting the text. The rest of the stream is usable.
    private func refuse(_ reason: String) {
        refusedMessages += 1
        connection?.write {
            ChatMessage.append(notice: ChatMessage.refusedNotice(reason), to: &$0)
        }
        // Logs the 1st, 2nd, 4th, 8th, … of a session, so that one client can't fill the log.
        if refusedMessages & (refusedMessages - 1) != 0 { return }
        sessions.logger.throttled(.warn, "message refused")?.warn("message refused") {
            $0.add("name", name)
            $0.add("reason", reason)
            $0.add("refused", refusedMessages)
        }
    }

    /// Disconnects a client whose stream is unusable: the start of the next message is unknown.
    private func disconnect(_ error: FrameError, _ connection: TCPConnection) {
        sessions.logger.throttled(.warn, "bad stream")?.warn(
            "client disconnected, its stream breaks a rule"
        ) {
            $0.add("name", name)
            $0.add("peer", connection.peerAddress)
            $0.add("reason", error)
        }
        leaveNow(connection, .rejected(error.description))
    }

    /// For sessions that wait for other loops and have not reached their rate.
    private static var shortestPause: Duration { .milliseconds(2) }

    /// Pauses reading until the rate allows more messages.
    private func pause(_ connection: TCPConnection) {
        connection.pauseReading()
        if sessions.isClosing || rateTimer != nil { return }
        let wait = max(rate.wait(), Self.shortestPause)
        rateTimer = connection.reactor.schedule(after: wait, label: "chat rate limit") {
            [weak self] _ in
            self?.rateTimer = nil
            self?.resumeReading()
        }
    }

    private func resumeReading() { if !sessions.isClosing { connection?.resumeReading() } }

    /// Takes no further messages: the room closes.
    func pauseReading() { connection?.pauseReading() }

    /// Applies the new limits of the room.
    func limitsChanged() {
        guard let connection else { return }
        let limits = sessions.limits
        rate.change(
            perSecond: limits.messagesPerSecond, burst: limits.messageBurst,
            now: connection.reactor.now)
        if rateTimer == nil { return }
        rateTimer?.cancel()
        rateTimer = nil
        resumeReading()
    }
}

// MARK: - Messages for this session

extension ChatSession {
    /// Sends a batch, or queues it while the connection takes no more output. While the connection
    /// takes some, the queue is empty: it was sent when the connection became writable, before
    /// anything else could be. So messages keep their order, and none waits for a receiver that
    /// reads.
    func deliver(_ bytes: SharedBytes) { deliver(bytes, 0..<bytes.count) }

    /// Sends a part of a batch, or queues it.
    func deliver(_ bytes: SharedBytes, _ range: Range<Int>) {
        guard let connection else { return }
        if connection.isWritable {
            send(.messages(bytes, range), connection)
        } else {
            enqueue(bytes, range, connection)
        }
    }

    private func enqueue(_ bytes: SharedBytes, _ range: Range<Int>, _ connection: TCPConnection) {
        queue.append(bytes, range)
        let limits = sessions.limits
        if queue.byteCount > limits.queueBytes {
            if limits.slowReceiver == .disconnect {
                let pending = queue.byteCount + connection.pendingBytes
                return leaveNow(connection, .outputLimit(bytes: pending))
            }
            drop(downTo: limits.queueBytes, connection)
        }
        countQueue()
    }

    private func drop(downTo limit: Int, _ connection: TCPConnection) {
        let isFirst = droppedMessages == 0
        droppedMessages += queue.dropOldest(downTo: limit)
        if !isFirst { return }
        sessions.logger.throttled(.warn, "slow client")?.warn(
            "client reads too slowly, its oldest messages are dropped"
        ) {
            $0.add("name", name)
            $0.add("peer", connection.peerAddress)
        }
    }

    private func sendQueue() {
        guard let connection else { return }
        while connection.isWritable, let element = nextQueued(connection) {
            send(element, connection)
        }
        countQueue()
    }

    /// Takes what is sent next out of the queue; its memory counts as output of the connection then.
    private func nextQueued(_ connection: TCPConnection) -> ReceiverQueue.Element? {
        let element = queue.popFirst()
        connection.handlerBytes = queue.memoryBytes
        return element
    }

    /// Reports the queue to the shard, and its memory to the connection, for the server's budget.
    private func countQueue() {
        connection?.handlerBytes = queue.memoryBytes
        sessions.shard.queueChanged(
            by: queue.byteCount - countedBytes, dropped: droppedMessages - countedDropped,
            queues: (queue.byteCount > 0 ? 1 : 0) - (countedBytes > 0 ? 1 : 0))
        (countedBytes, countedDropped) = (queue.byteCount, droppedMessages)
    }

    private func send(_ element: ReceiverQueue.Element, _ connection: TCPConnection) {
        switch element {
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
