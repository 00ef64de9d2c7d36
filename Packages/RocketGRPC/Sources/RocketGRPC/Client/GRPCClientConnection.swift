import RocketBase
import RocketCodec
import RocketHTTP2
import RocketReactor
@_spi(Transport) import RocketRPC
import RocketSystem
import RocketTCP

/// One connection of a channel of gRPC: translates the frames of the RPC side, whose transport it is,
/// into HTTP/2's streams, and what the server sends back into frames. Bound to its loop.
///
/// The RPC side takes it for connected when the server's SETTINGS have come: only then it is known to
/// speak HTTP/2.
final class GRPCClientConnection {
    let wire: GRPCChannelWire
    private(set) var rpc: any TransportHandler
    let settings: WireSettings
    let reactor: Reactor
    let frames: FrameWriter
    let compressor: (any MessageCompressor)?
    private let memory: HTTP2MemoryPool
    private let timeout: Duration
    /// Reports that the connection was not made; nil: it was, or this has been reported.
    private var failed: ((RPCError) -> Void)?
    private(set) var transport: (any Transport)?
    private(set) var session: HTTP2Session?
    /// The input behind very large headers.
    let rest = InputRest()
    /// The server's SETTINGS have come.
    var areSettingsKnown = false
    /// The RPC side has been notified of the connection.
    var isReady = false

    /// The fields of the response that is being received.
    var response: ResponseHead
    var streams = StreamTable<ClientStream>()
    /// The numbers of calls, by their msg_ids.
    var numbers: [InlineString: Int] = [:]
    var spare: [ClientStream] = []
    /// The fields of the request that is being submitted, and a part of it.
    var headers = HTTP2Headers()
    var scratch = ByteBuffer()
    /// What the RPC side takes of all streams of responses together.
    var connectionCredit = StreamCredit(limit: 1 << 20)
    /// The numbers of streams that wait for `connectionCredit`.
    var blocked: [Int] = []
    /// What the RPC side may send on all streams together; each stream has a limit, too.
    var connectionWindow = StreamWindow(size: 1 << 20, announced: 1 << 20)
    /// Whether requests are compressed of calls that begin.
    var compressesRequests = true
    /// The server takes no more calls on this connection.
    var isGoingAway = false

    /// Frames for the RPC side.
    var input = ByteBuffer()
    var hasNewInput = false
    /// Frames of the RPC side.
    private var output = ByteBuffer()
    var isEnrolled = false

    var streamBytes = 0
    /// Bytes of requests that are no streams.
    var requestBytes = 0
    /// The RPC side has seen that there is no room.
    var isHeldBack = false
    var handlerBytes = 0 { didSet { if !isLent { reportHeldBytes() } } }
    /// The RPC side has `input` or `output`, and may change `handlerBytes` meanwhile: that is reported
    /// afterwards.
    private var isLent = false

    var sentMarks = SentMarks()
    /// `sentBytes` once the connection has ended.
    private var finalSentBytes: UInt64 = 0
    var keepalive: KeepaliveTimer?
    var closing: CloseReason?
    /// The server sends no more: no stream ends that has not ended.
    var isInputEnded = false
    private var isEndPassed = false
    private var closeTimer: ScheduledTimer?
    private var settingsTimer: ScheduledTimer?
    var failure: String?

    static let requestMarkBytes = 256 << 10
    private static let closeTimeout = Duration.seconds(10)

    init(
        _ wire: GRPCChannelWire, for rpc: any TransportHandler, _ settings: WireSettings,
        on reactor: Reactor, timeout: Duration, failed: @escaping (RPCError) -> Void
    ) {
        self.wire = wire
        self.rpc = rpc
        self.settings = settings
        self.reactor = reactor
        self.timeout = timeout
        self.failed = failed
        let loop = GRPCLoop.of(reactor)
        memory = loop.memory
        frames = FrameWriter(codec: settings.codec)
        compressor = loop.compressor(of: wire, wire.configuration.compression)
        response = ResponseHead(wire.encodings)
    }

    // MARK: Connecting

    func connectFailed(_ error: RPCError) {
        settingsTimer?.cancel()
        failed.take()?(error)
    }

    func cancelConnect() {
        if isReady { return }
        failed = nil
        transport?.close(.now, reason: .requested)
    }

    private func becomeReady() {
        if isReady || !areSettingsKnown || transport == nil || failed == nil { return }
        isReady = true
        failed = nil
        settingsTimer?.cancel()
        if let time = wire.keepaliveTime {
            keepalive = KeepaliveTimer(
                Keepalive(
                    time: time, timeout: wire.configuration.keepaliveTimeout,
                    permitsWithoutCalls: wire.configuration.pingsWithoutCalls, now: reactor.now),
                on: reactor
            ) { [unowned self] in keepaliveDue() }
        }
        // From now on the RPC side may send frames of streams.
        frames.appendWindow(RawSpan(), limit: 1 << 20, to: &input)
        hasNewInput = true
        rpc.connected(self)
    }
}

// MARK: - The events of the connection below

extension GRPCClientConnection: TransportHandler {
    func connected(_ transport: any Transport) {
        self.transport = transport
        if failed == nil { return transport.close(.now, reason: .requested) }
        if let name = transport.negotiatedProtocol, name != "h2" {
            // A server chooses among what was offered.
            failure =
                "TLS has agreed on '\(name)' (ALPN), which this channel of gRPC has offered: set the "
                + "protocols of its TLS configuration to [\"h2\"]"
            return transport.close(.now, reason: .rejected("no HTTP/2"))
        }
        do throws(HTTP2Error) {
            var limits = wire.configuration.http2
            // The channel has a limit on its calls.
            limits.queuedRequests = .max
            session = try HTTP2Session(
                role: .client, configuration: limits, memory: memory, now: reactor.now,
                handler: self)
        } catch {
            return transport.close(.now, reason: .rejected(error.description))
        }
        settingsTimer = reactor.schedule(after: timeout, label: "gRPC settings") {
            [weak self] _ in self?.settingsAreLate()
        }
        enrol()
    }

    private func settingsAreLate() {
        if isReady { return }
        failure = "the server has not sent HTTP/2's SETTINGS in time"
        transport?.close(.now, reason: .rejected("no SETTINGS"))
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
        becomeReady()
        deliver()
        enrol()
    }

    func writabilityChanged(_ transport: any Transport, isWritable: Bool) {
        if isWritable { enrol() }
    }

    func draining(_ transport: any Transport) {}

    func inputEnded(_ transport: any Transport) {
        if !isReady { return transport.close(.now, reason: .peerFinished) }
        if rest.delaysEnd() { return }
        isInputEnded = true
        if hasOnlyWholeResponses { leave("the server has ended its output", "") }
        deliver()
        passInputEnd()
    }

    /// Notifies the RPC side, which closes the connection then, when it has taken the responses that have
    /// come as a whole. Calls that have none are not delayed by that.
    func passInputEnd() {
        if !isInputEnded || isEndPassed || hasOnlyWholeResponses { return }
        isEndPassed = true
        rpc.inputEnded(self)
    }

    func closed(_ transport: any Transport, reason: CloseReason) {
        finalSentBytes = sentBytes
        failQueued()
        self.transport = nil
        session = nil
        rest.cancel()
        keepalive?.cancel()
        closeTimer?.cancel()
        if isReady {
            rpc.closed(self, reason: reason)
        } else {
            let text =
                failure
                ?? "the connection ended before HTTP/2's SETTINGS: \(reason); does the server speak gRPC?"
            connectFailed(RPCError(.failedConnect, text))
        }
        streams = StreamTable()
        numbers = [:]
    }

    func fail(_ error: HTTP2Error) {
        if failure != nil { return }
        failure = error.description
        settings.logger.throttled(.warn, "bad HTTP/2")?.warn("bad HTTP/2, connection closed") {
            $0.add("peer", peerAddress.description)
            $0.add("detail", error.description)
        }
    }
}

// MARK: - The transport of the RPC side

extension GRPCClientConnection: Transport {
    var localAddress: NetAddress { transport?.localAddress ?? NetAddress(.unnamed) }
    var peerAddress: NetAddress { transport?.peerAddress ?? NetAddress(.unnamed) }
    var peerIdentity: PeerIdentity { transport?.peerIdentity ?? .none }
    var wireName: String { GRPCServerWire.wireName }
    var pendingBytes: Int { streamBytes + (transport?.pendingBytes ?? 0) }
    var signalsReset: Bool { transport?.signalsReset ?? true }
    var negotiatedProtocol: String? { transport?.negotiatedProtocol }

    /// Those frames of which the server may have received something.
    var sentBytes: UInt64 {
        guard let transport else { return finalSentBytes }
        return sentMarks.sent(below: transport.sentBytes)
    }

    var isWritable: Bool {
        if transport == nil || closing != nil { return false }
        if isFull(above: Self.requestMarkBytes) { isHeldBack = true }
        return !isHeldBack
    }

    func readInput(_ body: (inout ByteBuffer) -> Void) { lend { body(&input) } }

    func send(_ body: (inout ByteBuffer) -> Void) -> Bool {
        if transport == nil || closing != nil {
            var nowhere = ByteBuffer()
            body(&nowhere)
            return true
        }
        lend { body(&output) }
        takeFrames()
        enrol()
        return isWritable
    }

    func close(_ how: TCPConnection.Closing, reason: CloseReason) {
        if how != .afterFlush {
            transport?.close(how, reason: reason)
        } else if closing == nil {
            closing = reason
            session?.goAway(last: HTTP2StreamID(rawValue: 0), .noError)
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

    /// Whether too much waits. Calls above the server's limit on streams do that in HTTP/2's session:
    /// here they would hold up the messages of streams, too.
    func isFull(above mark: Int) -> Bool {
        requestBytes > mark || !(transport?.isWritable ?? false)
    }

    /// Submits what the RPC side has sent. Nothing of it calls that.
    private func takeFrames() {
        var bytes = ByteBuffer()
        swap(&bytes, &output)
        while !bytes.isEmpty {
            let byteCount = bytes.withBytes { bytes -> Int in
                // What this process has written is valid.
                guard case .frame(let frame, let byteCount)? = try? settings.codec.step(bytes)
                else {
                    return 0
                }
                take(frame, bytes)
                return byteCount
            }
            if byteCount == 0 { break }
            bytes.consume(byteCount)
            sentMarks.taken(byteCount)
        }
        bytes.removeAll()
        swap(&bytes, &output)
    }
}
