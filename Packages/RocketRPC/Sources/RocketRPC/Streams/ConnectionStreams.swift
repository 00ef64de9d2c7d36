import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// The streams of one connection, of a server or a channel: takes their frames, sends their messages
/// in turns, and keeps the credit of both directions. Bound to the connection's loop.
///
/// Messages are sent at the end of a tick, behind the replies of the tick: each stream in its turn
/// up to 16 KiB, while the transport has room and the peer has given credit.
final class ConnectionStreams: TickEndHandler {
    private let codec: TinyPBCodec
    private let limits: RPCStreamLimits
    private let reactor: Reactor
    private var transport: (any Transport)?
    private var table: StreamTable
    /// What this side may send on all streams together.
    private var credit = SendCredit(limit: StreamFrame.initialConnectionLimit)
    /// What the peer may send on all streams together.
    private var window: ReceiveWindow
    /// Streams with messages to send, in the order of their turns.
    private var queue = RingBuffer<StreamEntry>()
    private var isTickEndRequested = false
    /// The bytes of messages that wait to be read or sent.
    private var heldBytes = 0
    /// What may be sent on a new stream at first, as on an earlier one; 0: it may not know streams.
    private(set) var knownLimit: UInt64 = 0
    private var isWindowAnnounced = false
    /// Called with the number of bytes that were written to the transport.
    var wrote: ((Int) -> Void)?
    /// Ends the call of a stream with an error, on both sides.
    var failed: ((StreamEntry, RPCError) -> Void)?
    /// Whether streams without a message for `idleTimeout` fail.
    var limitsIdleTime = false
    private var idleTimer: ScheduledTimer?

    /// What one of several streams sends in its turn.
    static let turnBytes = 16 << 10

    init(
        over transport: any Transport, codec: TinyPBCodec, limits: RPCStreamLimits,
        on reactor: Reactor
    ) {
        self.transport = transport
        self.codec = codec
        self.limits = limits
        self.reactor = reactor
        window = ReceiveWindow(
            size: limits.validConnectionWindowBytes, announced: StreamFrame.initialConnectionLimit)
        table = StreamTable(seed: reactor.random.next())
    }

    var count: Int { table.count }
    /// Bytes of messages that wait to be sent, as of the last turn of each stream.
    var outboundBytes: Int { table.all.reduce(0) { $0 + $1.outboundBytes } }

    // MARK: Begin and end

    /// Adds a stream.
    ///
    /// - Parameter announcesWindow: whether the peer learns of its credit by a window frame, now; it
    ///   knows the size of the window otherwise.
    func open(_ id: [UInt8], _ stream: CallStream, announcesWindow: Bool) -> StreamEntry {
        let hash = table.hash(id)
        let size = limits.validWindowBytes
        let entry = StreamEntry(
            id: id, hash: hash, slot: table.nextSlot, stream,
            window: ReceiveWindow(size: size, announced: UInt64(size)), on: self,
            now: reactor.now)
        table.insert(entry)
        unsafe stream.entry = entry
        if limitsIdleTime { announceConnectionWindow() }
        if announcesWindow { sendWindow(id, entry.window.announced) }
        watchIdle()
        enqueue(entry)
        return entry
    }

    /// Removes a stream whose call has ended. What it holds counts as consumed.
    func remove(_ entry: StreamEntry) {
        guard unsafe entry.stream.entry === entry else { return }
        unsafe entry.stream.entry = nil
        table.remove(entry)
        holds(-entry.outboundBytes - entry.inboundBytes)
        consumedOnConnection(entry.window.heldBytes)
        if table.count == 0 {
            idleTimer?.cancel()
            idleTimer = nil
        }
    }

    /// The connection has ended: removes all streams. Their calls are ended, or sent again, by whom
    /// they belong to.
    func close() {
        transport = nil
        for entry in table.all { remove(entry) }
        queue = RingBuffer()
        idleTimer?.cancel()
        idleTimer = nil
    }

    // MARK: Receiving

    /// Takes a frame of a stream. Frames of streams that have ended are dropped.
    ///
    /// - Throws: a rule that the peer has broken: more was sent than it may, or a frame is invalid.
    func received(
        _ kind: StreamFrame, _ frame: TinyPBFrame, _ bytes: RawSpan
    ) throws(FrameError) {
        let id = bytes.extracting(frame.messageID)
        announceConnectionWindow()
        switch kind {
        case .data: try receivedData(frame, bytes, table.find(id))
        case .window: try receivedWindow(frame, bytes, id)
        case .headers:
            guard let entry = table.find(id) else { return }
            entry.receivedHeaders?(
                MetadataBlock.readReply(bytes.extracting(frame.errorInfo))?.metadata
                    ?? RPCMetadata())
        }
    }

    private func receivedData(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ entry: StreamEntry?
    ) throws(FrameError) {
        if frame.errorCode != 0 {
            let (data, error) = DataFrame.failure(frame, bytes)
            return try receivedUnreadable(data, error)
        }
        let info = bytes.extracting(frame.errorInfo)
        if StreamFrame.matches(info, StreamFrame.end) {
            entry?.stream.inbound.end()
            return
        }
        let part = bytes.extracting(frame.payload)
        let cost = StreamFrame.cost(ofBytes: part.byteCount)
        guard window.receive(cost) else { throw Self.exceeded(window, frame) }
        guard let entry else { return consumedOnConnection(cost) }
        guard entry.window.receive(cost) else { throw Self.exceeded(entry.window, frame) }
        entry.lastActivity = reactor.now
        let isLast = !StreamFrame.matches(info, StreamFrame.more)
        switch entry.stream.inbound.append(part, isLast: isLast, cost: cost) {
        case .kept(let consumed):
            entry.unfinishedBytes = isLast ? 0 : entry.unfinishedBytes + cost
            if isLast { entry.messages += 1 }
            self.consumed(consumed, by: entry)
        case .dropped: consumed(cost, by: entry)
        case .tooLarge(let bytes): tooLarge(bytes, entry)
        }
    }

    /// Takes a data frame that is over the frame limit, and is skipped, or that can't be decompressed:
    /// it counts as consumed, and its stream fails.
    func receivedUnreadable(_ frame: OversizedData, _ error: RPCError) throws(FrameError) {
        let cost = StreamFrame.cost(ofBytes: frame.payloadBytes)
        guard window.receive(cost) else {
            throw FrameError(
                .flowControl, at: 0, found: Int64(clamping: window.received),
                allowed: 0...Int64(clamping: window.announced))
        }
        consumedOnConnection(cost)
        // SAFETY: the array lives, unchanged, until find returns.
        if let entry = unsafe table.find(frame.id.span.bytes) { failed?(entry, error) }
    }

    /// The peer sends no more: streams that have not ended miss their rest. On a server.
    func inputEnded() {
        for entry in table.all { entry.stream.inbound.end(Self.peerFinished) }
    }

    private static let peerFinished = RPCError(
        .peerClosed, "the peer has closed its direction before the end of the stream")

    private func tooLarge(_ bytes: Int, _ entry: StreamEntry) {
        failed?(
            entry,
            RPCError(
                .resourceExhausted, "a message of the stream has \(bytes) bytes, or more, too many")
        )
    }

    private static func exceeded(_ window: ReceiveWindow, _ frame: TinyPBFrame) -> FrameError {
        FrameError(
            .flowControl, at: frame.payload.lowerBound, found: Int64(clamping: window.received),
            allowed: 0...Int64(clamping: window.announced))
    }

    private func receivedWindow(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ id: RawSpan
    ) throws(FrameError) {
        guard frame.payload.count == 8 else {
            throw FrameError(
                .flowControl, at: frame.payload.lowerBound, found: Int64(frame.payload.count),
                allowed: 8...8)
        }
        let limit = Self.number(bytes, at: frame.payload.lowerBound)
        if id.byteCount == 0 {
            if credit.raise(to: limit) { requestTickEnd() }
            return
        }
        guard let entry = table.find(id) else { return }
        if knownLimit == 0 { knownLimit = limit }
        if entry.stream.outbound.raiseLimit(to: limit) { enqueue(entry) }
    }

    private static func number(_ bytes: RawSpan, at offset: Int) -> UInt64 {
        // SAFETY: the caller has checked that 8 bytes are there.
        UInt64(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    // MARK: Credit of the peer

    /// The consumer of a stream has read messages.
    func consumed(_ bytes: Int, by entry: StreamEntry) {
        if bytes > 0 {
            // The messages that were read are taken for as large as all others.
            let before = max(1, entry.window.heldBytes)
            entry.messages -= entry.messages * min(bytes, before) / before
            if let limit = entry.window.consume(bytes) { sendWindow(entry.id, limit) }
        }
        let memory = entry.inboundMemory
        holds(memory - entry.inboundBytes)
        entry.inboundBytes = memory
        consumedOnConnection(bytes)
    }

    private func consumedOnConnection(_ bytes: Int) {
        if bytes > 0, let limit = window.consume(bytes) { sendWindow([], limit) }
    }

    /// Lets the peer send more than each peer begins with, where the window is larger. Once it is
    /// known that the peer takes frames of streams.
    private func announceConnectionWindow() {
        if isWindowAnnounced { return }
        isWindowAnnounced = true
        if let limit = window.consume(0) { sendWindow([], limit) }
    }

    private func sendWindow(_ id: [UInt8], _ limit: UInt64) {
        guard let transport else { return }
        send(over: transport) { codec.appendWindow(id, limit: limit, to: &$0) }
    }

    private func send(
        over transport: any Transport, compressing: Bool = true, _ body: (inout ByteBuffer) -> Void
    ) {
        transport.send(compressing: compressing) { output in
            let before = output.readableBytes
            body(&output)
            wrote?(output.readableBytes - before)
        }
    }

    /// Records with the transport what waits to be read or sent, in steps.
    private func holds(_ delta: Int) {
        if delta == 0 { return }
        heldBytes += delta
        guard let transport else { return }
        if abs(heldBytes - transport.handlerBytes) >= 16 << 10 || heldBytes == 0 {
            transport.handlerBytes = max(0, heldBytes)
        }
    }

    // MARK: Sending

    /// Gives a stream a turn at the end of the tick.
    func enqueue(_ entry: StreamEntry) {
        if entry.isQueued { return }
        entry.isQueued = true
        queue.append(entry)
        requestTickEnd()
    }

    /// The transport has room again.
    func outputHasRoom() { if !queue.isEmpty { requestTickEnd() } }

    private func requestTickEnd() {
        if isTickEndRequested { return }
        isTickEndRequested = true
        reactor.observeTickEnd(self)
    }

    func tickEnding(on reactor: Reactor) {
        isTickEndRequested = false
        while credit.available > 0, let transport, transport.isWritable,
            let entry = queue.popFirst()
        {
            entry.isQueued = false
            guard unsafe entry.stream.entry === entry else { continue }
            let isDone = takeTurn(entry, transport)
            let left = entry.stream.outbound.heldBytes
            holds(left - entry.outboundBytes)
            entry.outboundBytes = left
            if isDone { continue }
            entry.isQueued = true
            queue.append(entry)
        }
        queue.shrink(to: 64)
    }

    /// Sends messages of one stream.
    ///
    /// - Returns: whether it has nothing left that its own credit lets it send.
    private func takeTurn(_ entry: StreamEntry, _ transport: any Transport) -> Bool {
        var isDone = false
        var isSent = false
        let turn = queue.isEmpty ? StreamFrame.maxDataBytes : Self.turnBytes
        let maxPartBytes = min(turn, self.maxPartBytes(entry))
        var failure: FrameError?
        if entry.undecided != nil { entry.decideCompression() }
        send(over: transport, compressing: entry.compresses) { output in
            let start = output.readableBytes
            while output.readableBytes - start < turn {
                let most = min(maxPartBytes, credit.available)
                if most < 1 { return }
                switch writePart(of: entry, atMost: most, to: &output, &failure) {
                case .part(let cost):
                    credit.spend(cost)
                    isSent = true
                case .end: writeEnd(of: entry, to: &output)
                case .nothing:
                    isDone = true
                    return
                }
            }
        }
        if isSent { entry.lastActivity = reactor.now }
        // Not before: it writes to the transport, too.
        guard let failure else { return isDone }
        failed?(entry, RPCError(.failedEncode, "\(failure)"))
        return true
    }

    /// The most bytes of a message in one frame.
    private func maxPartBytes(_ entry: StreamEntry) -> Int {
        let room = codec.maxFrameBytes - TinyPBFrame.overheadBytes - 16 - entry.id.count
        return max(1, min(StreamFrame.maxDataBytes, room))
    }

    private func writePart(
        of entry: StreamEntry, atMost most: Int, to output: inout ByteBuffer,
        _ failure: inout FrameError?
    ) -> OutboundMessages.Next {
        let start = output.readableBytes
        var failed: FrameError?
        let next = entry.stream.outbound.takePart(atMost: most) { part, isLast in
            if let headers = entry.takeHeaders.take()?() { writeHeaders(headers, entry, &output) }
            let frame = codec.begin(
                entry.id, StreamFrame.dataName, flag: isLast ? [] : StreamFrame.more, in: &output)
            output.append(part)
            do throws(FrameError) {
                try codec.finish(frame, in: &output)
            } catch { failed = error }
        }
        guard let failed else { return next }
        failure = failed
        output.truncate(to: start)
        return .nothing
    }

    private func writeHeaders(
        _ metadata: borrowing ByteBuffer, _ entry: StreamEntry, _ output: inout ByteBuffer
    ) {
        let start = output.readableBytes
        let (id, name) = (entry.id, StreamFrame.headersName)
        metadata.withBytes { info in
            // SAFETY: the arrays live, unchanged, until begin returns.
            _ = codec.begin(
                messageID: unsafe id.span.bytes, methodName: unsafe name.span.bytes,
                errorInfo: info, in: &output)
        }
        // Metadata of at most 8 KiB; where the frame limit is lower it is left out.
        try? codec.finish(start, in: &output)
    }

    private func writeEnd(of entry: StreamEntry, to output: inout ByteBuffer) {
        let start = codec.begin(
            entry.id, StreamFrame.dataName, flag: StreamFrame.end, in: &output)
        // As short as the frame that opened the stream.
        try? codec.finish(start, in: &output)
    }

    // MARK: Idle streams

    private static let idle = RPCError(
        .callTimeout, "no message for the idle time of streams (stream_idle_timeout_ms)")

    private func watchIdle() {
        guard limitsIdleTime, idleTimer == nil, limits.idleTimeout > .zero else { return }
        idleTimer = reactor.schedule(after: limits.idleTimeout / 4, label: "idle streams") {
            [unowned self] _ in
            idleTimer = nil
            for entry in table.all where entry.lastActivity + limits.idleTimeout <= reactor.now {
                failed?(entry, Self.idle)
            }
            if table.count > 0 { watchIdle() }
        }
    }
}
