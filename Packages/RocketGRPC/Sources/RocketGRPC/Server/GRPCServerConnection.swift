import RocketBase
import RocketCodec
import RocketHTTP2
import RocketReactor
@_spi(Transport) import RocketRPC
import RocketSystem
import RocketTCP

/// One client's connection of gRPC: translates HTTP/2's streams into frames of TinyPB for the RPC side,
/// whose transport it is, and the frames of that back. Bound to its loop.
///
/// Nothing of a call is decided here but what HTTP/2 and gRPC prescribe. What the RPC side sends is
/// taken at the end of the tick, and it is never called while it sends.
final class GRPCServerConnection {
    let wire: GRPCServerWire
    private(set) var rpc: any TransportHandler
    let settings: WireSettings
    let reactor: Reactor
    let loop: GRPCLoop
    let frames: FrameWriter
    let compressor: (any MessageCompressor)?
    private(set) var transport: (any Transport)?
    private(set) var session: HTTP2Session?

    // SAFETY of the unchecked properties: bound to the loop, and nothing that runs inside an access to
    // one of them uses it again. The checks cost a fifth of a call.
    @exclusivity(unchecked) var streams = StreamTable<ServerStream>()
    /// The fields of the request that is being received.
    @exclusivity(unchecked) var head: RequestHead
    var isReadingTrailers = false
    /// Where the frame begins whose start was written last.
    var frameStart = 0
    /// What the RPC side takes of all streams of requests together.
    var connectionCredit = StreamCredit(limit: 1 << 20)
    /// The first limit that it gave for a stream: it applies to later streams from their beginning.
    var firstLimit: UInt64?
    /// The numbers of streams that wait for `connectionCredit`.
    var blocked: [Int] = []
    /// What the RPC side may send on all streams together: it is never held back by that, because each
    /// stream has a limit.
    var connectionWindow = StreamWindow(size: 1 << 20, announced: 1 << 20)

    /// Frames for the RPC side that it has not consumed.
    var input = ByteBuffer()
    var hasNewInput = false
    /// Frames of the RPC side.
    var output = ByteBuffer()
    private var isEnrolled = false

    /// Bytes that all streams hold of requests, and of responses; those of responses that are no
    /// stream.
    var requestBytes = 0
    var outputBytes = 0
    var replyBytes = 0
    /// The RPC side was told that the output is full.
    private var isHeldBack = false
    /// What the RPC side holds besides.
    var handlerBytes = 0 { didSet { if !isLent { reportHeldBytes() } } }
    /// The RPC side has `input` or `output`, and may change `handlerBytes` meanwhile: that is reported
    /// afterwards.
    private var isLent = false
    /// DATA whose credit is returned when the RPC side has taken what waits in `input`.
    private var withheld: [(stream: HTTP2StreamID, bytes: Int)] = []

    var requestDeadlines = RequestDeadlines()
    var drain = Drain.none
    private var isDrainPinged = false
    var pings: PingPolicy
    private var keepalive: KeepaliveTimer?
    private var closing: CloseReason?
    private var closeTimer: ScheduledTimer?
    /// Why the connection is closed as soon as GOAWAY has been sent.
    var failure: String?

    /// How far a drain is.
    enum Drain { case none, announced, final }

    /// While the RPC side has left so many bytes in the input, the client gets no credit for more.
    private static let inputMarkBytes = 1 << 20
    /// With more bytes of replies waiting, the RPC side is held back; until half of it are left.
    private static let replyMarkBytes = 256 << 10
    /// How long replies may take to be read after the last call.
    private static let closeTimeout = Duration.seconds(10)

    init(
        _ wire: GRPCServerWire, for rpc: any TransportHandler, _ settings: WireSettings,
        on reactor: Reactor
    ) {
        self.wire = wire
        self.rpc = rpc
        self.settings = settings
        self.reactor = reactor
        loop = GRPCLoop.of(reactor)
        frames = FrameWriter(codec: settings.codec)
        compressor = loop.compressor(of: wire, wire.configuration.compression)
        unsafe head = RequestHead(wire.encodings)
        pings = PingPolicy(
            minInterval: wire.configuration.minPingInterval,
            permitsWithoutCalls: wire.configuration.permitsPingsWithoutCalls)
    }
}

// MARK: - The events of the connection below

extension GRPCServerConnection: TransportHandler {
    func connected(_ transport: any Transport) {
        self.transport = transport
        do throws(HTTP2Error) {
            session = try HTTP2Session(
                role: .server, configuration: wire.configuration.http2, memory: loop.memory,
                now: reactor.now, handler: self)
        } catch {
            transport.close(.now, reason: .rejected(error.description))
        }
        keepalive = KeepaliveTimer(
            Keepalive(
                time: wire.configuration.keepaliveTime,
                timeout: wire.configuration.keepaliveTimeout, permitsWithoutCalls: true,
                now: reactor.now), on: reactor
        ) { [unowned self] in keepaliveDue() }
        keepalive?.expect(hasCalls: false)
        rpc.connected(self)
        // SETTINGS are sent at once: some clients wait for them.
        enrol()
    }

    func received(_ transport: any Transport, _ input: inout ByteBuffer) {
        guard let session, failure == nil else { return input.removeAll() }
        session.now = reactor.now
        keepalive?.received()
        do throws(HTTP2Error) {
            try input.withBytes { (bytes) throws(HTTP2Error) in try session.receive(bytes) }
        } catch {
            fail(error)
        }
        input.removeAll()
        deliver()
        enrol()
    }

    func writabilityChanged(_ transport: any Transport, isWritable: Bool) {
        if isWritable { enrol() }
    }

    func draining(_ transport: any Transport) {
        beginDrain()
        rpc.draining(self)
    }

    func drainTimedOut(_ transport: any Transport) { rpc.drainTimedOut(self) }

    func inputEnded(_ transport: any Transport) {
        deliver()
        rpc.inputEnded(self)
    }

    func closed(_ transport: any Transport, reason: CloseReason) {
        self.transport = nil
        session = nil
        keepalive?.cancel()
        closeTimer?.cancel()
        requestDeadlines.cancel()
        unsafe streams = StreamTable()
        withheld = []
        output.shrink()
        rpc.closed(self, reason: reason)
    }

    /// The peer broke a rule, or did something too often: what waits (GOAWAY) is sent, then the
    /// connection is closed.
    private func fail(_ error: HTTP2Error) {
        if failure != nil { return }
        failure = error.description
        settings.logger.throttled(.warn, "bad HTTP/2")?.warn("bad HTTP/2, connection closed") {
            $0.add("peer", transport?.peerAddress.description ?? "")
            $0.add("detail", error.description)
        }
    }
}

// MARK: - The transport of the RPC side

extension GRPCServerConnection: Transport {
    var localAddress: NetAddress { transport?.localAddress ?? NetAddress(.unnamed) }
    var peerAddress: NetAddress { transport?.peerAddress ?? NetAddress(.unnamed) }
    var peerIdentity: PeerIdentity { transport?.peerIdentity ?? .none }
    var sentBytes: UInt64 { transport?.sentBytes ?? 0 }
    var pendingBytes: Int { output.readableBytes + outputBytes + (transport?.pendingBytes ?? 0) }
    var isWritable: Bool { !isHeldBack && closing == nil && transport != nil }
    var signalsReset: Bool { true }
    var negotiatedProtocol: String? { transport?.negotiatedProtocol }

    func readInput(_ body: (inout ByteBuffer) -> Void) {
        lendInput { body(&$0) }
        if !withheld.isEmpty { enrol() }
    }

    func send(_ body: (inout ByteBuffer) -> Void) -> Bool {
        if transport == nil || closing != nil {
            var nowhere = ByteBuffer()
            body(&nowhere)
            return true
        }
        lend { body(&output) }
        enrol()
        if isFull(above: Self.replyMarkBytes) { isHeldBack = true }
        return !isHeldBack
    }

    func close(_ how: TCPConnection.Closing, reason: CloseReason) {
        if how != .afterFlush {
            transport?.close(how, reason: reason)
        } else if closing == nil {
            closing = reason
            closeTimer = reactor.schedule(after: Self.closeTimeout, label: "gRPC close") {
                [weak self] _ in self?.transport?.close(.now, reason: reason)
            }
            enrol()
        }
    }

    private func lend(_ body: () -> Void) {
        let wasLent = isLent
        let before = handlerBytes
        isLent = true
        body()
        isLent = wasLent
        if !isLent, handlerBytes != before { reportHeldBytes() }
    }

    func handOver(to handler: any TransportHandler) { rpc = handler }

    private func isFull(above mark: Int) -> Bool {
        output.readableBytes + replyBytes > mark || !(transport?.isWritable ?? true)
    }
}

// MARK: - The end of the tick

extension GRPCServerConnection: TickEndHandler {
    func enrol() {
        if isEnrolled || transport == nil { return }
        isEnrolled = true
        reactor.observeTickEnd(self)
    }

    func tickEnding(on reactor: Reactor) {
        isEnrolled = false
        if transport == nil { return }
        takeReplies()
        returnCredit()
        if closing != nil { refuseUnanswered() }
        flush()
        deliver()
        reportHeldBytes()
        if isHeldBack, !isFull(above: Self.replyMarkBytes / 2), transport != nil {
            isHeldBack = false
            rpc.writabilityChanged(self, isWritable: true)
        }
        unsafe keepalive?.expect(hasCalls: streams.count > 0)
    }

    /// Passes new frames to the RPC side.
    func deliver() {
        if !hasNewInput || transport == nil { return }
        hasNewInput = false
        lendInput { rpc.received(self, &$0) }
        if input.isEmpty, input.capacityBytes > 64 << 10 { input.shrink() }
    }

    /// Lends the input to the RPC side, which uses this connection meanwhile: sends, changes
    /// `handlerBytes`.
    private func lendInput(_ body: (inout ByteBuffer) -> Void) {
        var buffer = ByteBuffer()
        swap(&buffer, &input)
        body(&buffer)
        if !input.isEmpty {
            input.withBytes { buffer.append($0) }
            input.removeAll()
        }
        swap(&buffer, &input)
    }

    /// Lets the client send as many bytes more, unless the RPC side is behind.
    func consumed(_ bytes: Int, on stream: HTTP2StreamID) {
        if input.readableBytes > Self.inputMarkBytes {
            if let last = withheld.last, last.stream == stream {
                withheld[withheld.count - 1].bytes += bytes
            } else {
                withheld.append((stream, bytes))
            }
        } else {
            session?.consumed(bytes, on: stream)
        }
    }

    private func returnCredit() {
        if withheld.isEmpty || input.readableBytes > Self.inputMarkBytes { return }
        for (stream, bytes) in withheld { session?.consumed(bytes, on: stream) }
        withheld.removeAll()
    }

    /// Passes on what the session has to send, as far as the connection below takes it.
    private func flush() {
        guard let session else { return }
        flush(session)
        // Behind GOAWAY: HTTP/2's session sends pings first.
        if drain == .announced, !isDrainPinged, !session.wantsSend {
            isDrainPinged = true
            session.ping(Self.drainPayload)
            flush(session)
        }
        closeIfDone(session)
    }

    private func flush(_ session: HTTP2Session) {
        guard let transport else { return }
        while session.wantsSend, transport.isWritable {
            var found: HTTP2Error?
            transport.send { output in
                do throws(HTTP2Error) {
                    try session.send(into: &output, atMost: 64 << 10)
                } catch { found = error }
            }
            if let found { fail(found) }
        }
    }

    private func closeIfDone(_ session: HTTP2Session) {
        guard let transport else { return }
        if let failure {
            return transport.close(.afterFlush, reason: .rejected(failure))
        }
        guard session.openStreams == 0, !session.wantsSend else { return }
        if let closing {
            transport.close(.afterFlush, reason: closing)
        } else if drain == .final {
            transport.close(.afterFlush, reason: .drained)
        } else if session.isOver {
            transport.close(.afterFlush, reason: .peerFinished)
        }
    }

    private func reportHeldBytes() {
        let buffered = input.readableBytes + output.readableBytes
        transport?.handlerBytes =
            unsafe handlerBytes + requestBytes + outputBytes + buffered
            + streams.count * Self.streamBytes
    }

    /// What a stream costs besides: this object, and nghttp2's.
    private static let streamBytes = 1 << 10

    private func keepaliveDue() {
        switch unsafe keepalive?.due(hasCalls: streams.count > 0) {
        case .ping?:
            session?.ping(Self.keepalivePayload)
            enrol()
        case .close?: transport?.close(.now, reason: .peerSilent)
        case .nothing?, nil: break
        }
    }

    /// In pings of keepalive, and of a drain.
    private static let keepalivePayload: UInt64 = 0x726B_6B61
    static let drainPayload: UInt64 = 0x726B_6472
}
