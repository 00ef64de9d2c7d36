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
    /// The input behind very large headers.
    let rest = InputRest()

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

    // SAFETY of these unchecked properties: as of those above.
    /// Frames for the RPC side that it has not consumed.
    @exclusivity(unchecked) var input = ByteBuffer()
    var hasNewInput = false
    /// Frames of the RPC side.
    @exclusivity(unchecked) var output = ByteBuffer()
    var isEnrolled = false

    /// Bytes that all streams hold of requests, and of responses; those of responses that are no
    /// stream.
    var requestBytes = 0
    var outputBytes = 0
    var replyBytes = 0
    /// The RPC side was told that the output is full.
    var isHeldBack = false
    /// What the RPC side holds besides.
    var handlerBytes = 0 { didSet { if !isLent { reportHeldBytes() } } }
    /// The RPC side has `input` or `output`, and may change `handlerBytes` meanwhile: that is reported
    /// afterwards.
    private var isLent = false
    /// DATA whose credit is returned when the RPC side has taken what waits in `input`.
    // SAFETY: as above.
    @exclusivity(unchecked) var withheld: [(stream: HTTP2StreamID, bytes: Int)] = []

    var requestDeadlines = RequestDeadlines()
    var drain = Drain.none
    var isDrainPinged = false
    // SAFETY: as above.
    @exclusivity(unchecked) var pings: PingPolicy
    /// What the next call that fails is sent, if it fails like the last one.
    // SAFETY: as above.
    @exclusivity(unchecked) var prepared = PreparedFailure()
    var keepalive: KeepaliveTimer?
    var closing: CloseReason?
    private var closeTimer: ScheduledTimer?
    /// Why the connection is closed as soon as GOAWAY has been sent.
    var failure: String?

    /// How far a drain is.
    enum Drain { case none, announced, final }

    /// While the RPC side has left so many bytes in the input, the client gets no credit for more.
    static let inputMarkBytes = 1 << 20
    /// With more bytes of replies waiting, the RPC side is held back; until half of it are left.
    static let replyMarkBytes = 256 << 10
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
        unsafe head = RequestHead(wire.encodings, servesConnect: settings.messageTypes != nil)
        unsafe pings = PingPolicy(
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
            let taken = try input.withBytes { (bytes) throws(HTTP2Error) in
                try session.receive(bytes)
            }
            input.consume(taken)
        } catch {
            fail(error)
            input.removeAll()
        }
        if !input.isEmpty { rest.comesLater(of: transport, to: self, on: reactor) }
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
        if rest.delaysEnd() { return }
        deliver()
        rpc.inputEnded(self)
    }

    func closed(_ transport: any Transport, reason: CloseReason) {
        self.transport = nil
        session = nil
        rest.cancel()
        keepalive?.cancel()
        closeTimer?.cancel()
        requestDeadlines.cancel()
        unsafe streams = StreamTable()
        unsafe withheld = []
        unsafe output.shrink()
        rpc.closed(self, reason: reason)
    }

    /// The peer broke a rule, or did something too often: what waits (GOAWAY) is sent, then the
    /// connection is closed.
    func fail(_ error: HTTP2Error) {
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
    var wireName: String { GRPCServerWire.wireName }
    var sentBytes: UInt64 { transport?.sentBytes ?? 0 }
    var pendingBytes: Int {
        unsafe output.readableBytes + outputBytes + (transport?.pendingBytes ?? 0)
    }
    var traffic: ConnectionTraffic { transport?.traffic ?? ConnectionTraffic() }
    func unacknowledgedBytes() -> Int { transport?.unacknowledgedBytes() ?? 0 }
    var isWritable: Bool { !isHeldBack && closing == nil && transport != nil }
    var signalsReset: Bool { true }
    var negotiatedProtocol: String? { transport?.negotiatedProtocol }

    func readInput(_ body: (inout ByteBuffer) -> Void) {
        lendInput { body(&$0) }
        if unsafe !withheld.isEmpty { enrol() }
    }

    func send(_ body: (inout ByteBuffer) -> Void) -> Bool {
        if transport == nil || closing != nil {
            var nowhere = ByteBuffer()
            body(&nowhere)
            return true
        }
        lend { unsafe body(&output) }
        enrol()
        if isFull(above: Self.replyMarkBytes) { isHeldBack = true }
        return !isHeldBack
    }

    func sendUncompressed(_ body: (inout ByteBuffer) -> Void) -> Bool {
        let start = unsafe output.readableBytes
        let hasRoom = send(body)
        if !wire.encodings.names.isEmpty { stopCompressing(from: start) }
        return hasRoom
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

    func isFull(above mark: Int) -> Bool {
        unsafe output.readableBytes + replyBytes > mark || !(transport?.isWritable ?? true)
    }
}
