import RocketBase
import RocketCodec
import RocketReactor
@_spi(Transport) import RocketRPC
import RocketSystem
import RocketTCP

/// One client's connection of HTTP/1.1 with calls of Connect: the counterpart of `GRPCServerConnection`,
/// translates one request after the other into a frame of TinyPB for the RPC side, whose transport it is,
/// and the reply back. Bound to its loop.
///
/// What comes behind a request waits in the input until that has been answered. A client that closes its
/// side during a call has given it up.
final class HTTP1ServerConnection {
    let wire: GRPCServerWire
    private(set) var rpc: any TransportHandler
    let settings: WireSettings
    let http: HTTP1Settings
    let reactor: Reactor
    let compressor: (any MessageCompressor)?
    var transport: (any Transport)?

    var parser = HTTP1RequestParser()
    var head: RequestHead
    /// The name of a field in lower case.
    var fieldName = ByteBuffer()
    /// The request that is being received or answered.
    var exchange: HTTP1Exchange?
    /// How many requests there have been: the msg_id of frames.
    var requests = 0
    /// What is checked of Host.
    var hostRule = HTTP1HostRule.any

    /// A frame for the RPC side that it has not consumed.
    var input = ByteBuffer()
    var hasNewInput = false
    /// Frames of the RPC side.
    var output = ByteBuffer()
    var isEnrolled = false
    /// What the RPC side holds besides.
    var handlerBytes = 0 { didSet { if !isLent { reportHeldBytes() } } }
    /// The RPC side has `input` or `output`.
    private var isLent = false

    var deadline = HTTP1Deadline()
    /// The connection ends behind the response of now, or at once if there is no request.
    var isDraining = false
    /// Why it is closed as soon as what waits has been sent.
    var closing: CloseReason?

    init(
        _ wire: GRPCServerWire, for rpc: any TransportHandler, _ settings: WireSettings,
        _ http: HTTP1Settings, on reactor: Reactor
    ) {
        self.wire = wire
        self.rpc = rpc
        self.settings = settings
        self.http = http
        self.reactor = reactor
        compressor = GRPCLoop.of(reactor).compressor(of: wire, wire.configuration.compression)
        head = RequestHead(wire.encodings, servesConnect: true)
    }

    var responder: ConnectResponder {
        ConnectResponder(settings: settings, encodings: wire.encodings, compressor: compressor)
    }
}

// MARK: - The events of the connection below

extension HTTP1ServerConnection: TransportHandler {
    func connected(_ transport: any Transport) {
        self.transport = transport
        hostRule = HTTP1HostRule(http.hosts, at: transport.localAddress)
        rpc.connected(self)
        watchTime()
    }

    func received(_ transport: any Transport, _ input: inout ByteBuffer) {
        takeRequests(&input)
        deliver()
        reportHeldBytes()
        watchTime()
    }

    func writabilityChanged(_ transport: any Transport, isWritable: Bool) {
        if isWritable { enrol() }
    }

    func draining(_ transport: any Transport) {
        beginDrain()
        rpc.draining(self)
    }

    func drainTimedOut(_ transport: any Transport) { rpc.drainTimedOut(self) }

    /// The client has gone, or has half-closed its connection, which looks the same: what it has been
    /// sent is flushed, and a call is cancelled.
    func inputEnded(_ transport: any Transport) {
        transport.close(exchange == nil ? .afterFlush : .now, reason: .peerFinished)
    }

    func closed(_ transport: any Transport, reason: CloseReason) {
        self.transport = nil
        deadline.cancel()
        exchange = nil
        output.shrink()
        rpc.closed(self, reason: reason)
    }

    /// Begins to drain, once: the next response is the last one. A client that has not noticed sends
    /// further requests for a moment, which are refused by the RPC side.
    func beginDrain() {
        if isDraining { return }
        isDraining = true
        reactor.schedule(after: Self.silentPeriod, label: "HTTP drain") { [weak self] _ in
            guard let self, exchange == nil else { return }
            transport?.close(.afterFlush, reason: .drained)
        }
    }

    /// How long a connection without a request stays open once the drain has begun.
    private static let silentPeriod = Duration.seconds(1)
}

// MARK: - The transport of the RPC side

extension HTTP1ServerConnection: Transport {
    var localAddress: NetAddress { transport?.localAddress ?? NetAddress(.unnamed) }
    var peerAddress: NetAddress { transport?.peerAddress ?? NetAddress(.unnamed) }
    var peerIdentity: PeerIdentity { transport?.peerIdentity ?? .none }
    var sentBytes: UInt64 { transport?.sentBytes ?? 0 }
    var pendingBytes: Int { output.readableBytes + (transport?.pendingBytes ?? 0) }
    var traffic: ConnectionTraffic { transport?.traffic ?? ConnectionTraffic() }
    /// There is one call at a time, which begins when the response before it has been sent.
    var isWritable: Bool { closing == nil && transport != nil }
    var signalsReset: Bool { transport?.signalsReset ?? true }
    var negotiatedProtocol: String? { transport?.negotiatedProtocol }

    func readInput(_ body: (inout ByteBuffer) -> Void) { lendInput(body) }

    func send(_ body: (inout ByteBuffer) -> Void) -> Bool {
        if transport == nil || closing != nil {
            var nowhere = ByteBuffer()
            body(&nowhere)
            return true
        }
        let before = handlerBytes
        isLent = true
        body(&output)
        isLent = false
        if handlerBytes != before { reportHeldBytes() }
        enrol()
        return true
    }

    func sendUncompressed(_ body: (inout ByteBuffer) -> Void) -> Bool {
        exchange?.responseEncoding = .identity
        return send(body)
    }

    func close(_ how: TCPConnection.Closing, reason: CloseReason) {
        if how != .afterFlush {
            transport?.close(how, reason: reason)
        } else if closing == nil {
            closing = reason
            enrol()
        }
    }

    func handOver(to handler: any TransportHandler) { rpc = handler }

    /// Passes a new frame to the RPC side.
    func deliver() {
        if !hasNewInput || transport == nil { return }
        hasNewInput = false
        lendInput { rpc.received(self, &$0) }
        if input.isEmpty { input.shrink(keepBytes: 4 << 10) }
    }

    /// Lends the input to the RPC side, which uses this connection meanwhile.
    private func lendInput(_ body: (inout ByteBuffer) -> Void) {
        var buffer = ByteBuffer()
        swap(&buffer, &input)
        body(&buffer)
        swap(&buffer, &input)
    }

    func reportHeldBytes() {
        transport?.handlerBytes =
            handlerBytes + input.readableBytes + output.readableBytes + (exchange?.heldBytes ?? 0)
    }
}

// MARK: - The tick's end

extension HTTP1ServerConnection: TickEndHandler {
    func enrol() {
        if isEnrolled || transport == nil { return }
        isEnrolled = true
        reactor.observeTickEnd(self)
    }

    func tickEnding(on reactor: Reactor) {
        isEnrolled = false
        guard let transport else { return }
        takeReplies()
        if let closing {
            if let exchange {
                exchange.call.endInput()
                refuse(exchange, WireFailure(.unavailable, "the server is draining"))
            }
            return transport.close(.afterFlush, reason: closing)
        }
        // What has come meanwhile, behind the request that has been answered.
        transport.readInput { if !$0.isEmpty { takeRequests(&$0) } }
        deliver()
        reportHeldBytes()
        watchTime()
    }
}
