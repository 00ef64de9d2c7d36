import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// One connection of TinyPB with compression: between its transport and the side of calls, which sees
/// frames as they are without compression. Bound to its loop.
///
/// Only frames are rewritten that are compressed, or from the threshold on can be; others are copied
/// on the way in, and not touched on the way out.
final class CompressedConnection {
    enum Role { case server, channel }

    private let role: Role
    private var rpc: any TransportHandler
    private var transport: (any Transport)?
    private let reactor: Reactor
    private let logger: RocketLogger
    private var decompressor: FrameDecompressor
    private var compressor: FrameCompressor
    private let tools: CompressionTools
    /// Frames that the side of calls has not taken yet.
    private var input = ByteBuffer()
    private var isEnrolled = false
    /// How many bytes fewer were sent than the side of calls has written, at the most.
    private var savedBytes = 0
    /// `sentBytes` of the transport when it was closed.
    private var endedBytes: UInt64 = 0
    /// What the side of calls holds beside its buffers.
    private var ownHandlerBytes = 0

    /// While the side of calls has left so many bytes in the input, no further frame is taken.
    private static let inputMarkBytes = 1 << 20

    init(
        _ wire: CompressedWire, _ role: Role, for rpc: any TransportHandler,
        _ settings: WireSettings, on reactor: Reactor
    ) {
        self.role = role
        self.rpc = rpc
        self.reactor = reactor
        logger = settings.logger
        tools = CompressionLoop.of(reactor).tools(of: wire)
        decompressor = FrameDecompressor(codec: settings.codec, encodings: wire.encodings)
        compressor = FrameCompressor(
            codec: settings.codec, encodings: wire.encodings, thresholdBytes: wire.thresholdBytes)
    }

    /// Takes frames out of the transport's input, up to the mark. A server takes none while its output
    /// is full, so that refusals are not without a limit.
    private func take(_ bytes: inout ByteBuffer, atMost mark: Int) {
        while input.readableBytes < mark, role == .channel || mark == .max || isWritable {
            let step = decompressor.next(&bytes, into: &input, tools)
            if let encoding = decompressor.accepted {
                compressor.accept(encoding, inStreams: decompressor.acceptedInStreams)
            }
            switch step {
            case .taken: continue
            case .needMore: return
            case .refused(let refusal): refuse(refusal)
            case .failed(let error): log(error)
            }
        }
    }

    /// A frame can't be decompressed: its call ends.
    private func refuse(_ refusal: FrameDecompressor.Refusal) {
        log(refusal.error)
        switch role {
        case .server: transport?.send { decompressor.append(refusal, to: &$0) }
        case .channel: decompressor.append(refusal, to: &input)
        }
    }

    private func log(_ error: RPCError) {
        logger.throttled(.warn, "bad compression")?.warn("a message can't be decompressed") {
            $0.add("peer", transport?.peerAddress.description ?? "")
            $0.add("detail", error.message)
        }
    }

    /// Passes the input to the side of calls.
    private func deliver() {
        if input.isEmpty { return }
        lendInput { rpc.received(self, &$0) }
        if input.isEmpty, input.capacityBytes > 64 << 10 { input.shrink() }
        reportHeldBytes()
    }

    /// Lends the input to the side of calls, which uses this connection meanwhile: sends, changes
    /// `handlerBytes`.
    private func lendInput(_ body: (inout ByteBuffer) -> Void) {
        var buffer = ByteBuffer()
        swap(&buffer, &input)
        body(&buffer)
        swap(&buffer, &input)
    }

    private func reportHeldBytes() {
        transport?.handlerBytes = ownHandlerBytes + input.readableBytes
    }
}

// MARK: - The events of the connection below

extension CompressedConnection: TransportHandler {
    func connected(_ transport: any Transport) {
        self.transport = transport
        rpc.connected(self)
    }

    func received(_ transport: any Transport, _ input: inout ByteBuffer) {
        while true {
            let before = input.readableBytes
            take(&input, atMost: Self.inputMarkBytes)
            if input.readableBytes == before { return }
            deliver()
            if self.transport == nil { return }
        }
    }

    func writabilityChanged(_ transport: any Transport, isWritable: Bool) {
        rpc.writabilityChanged(self, isWritable: isWritable)
        if isWritable { enrol() }
    }

    func draining(_ transport: any Transport) { rpc.draining(self) }

    func drainTimedOut(_ transport: any Transport) { rpc.drainTimedOut(self) }

    func inputEnded(_ transport: any Transport) {
        transport.readInput { take(&$0, atMost: .max) }
        deliver()
        rpc.inputEnded(self)
    }

    func closed(_ transport: any Transport, reason: CloseReason) {
        endedBytes = transport.sentBytes
        self.transport = nil
        rpc.closed(self, reason: reason)
        input.shrink()
    }
}

// MARK: - The transport of the side of calls

extension CompressedConnection: Transport {
    var localAddress: NetAddress { transport?.localAddress ?? NetAddress(.unnamed) }
    var peerAddress: NetAddress { transport?.peerAddress ?? NetAddress(.unnamed) }
    var peerIdentity: PeerIdentity { transport?.peerIdentity ?? .none }
    /// As many bytes of what was written as the peer may have received: never fewer.
    var sentBytes: UInt64 { (transport?.sentBytes ?? endedBytes) + UInt64(max(0, savedBytes)) }
    var pendingBytes: Int { transport?.pendingBytes ?? 0 }
    var traffic: ConnectionTraffic { transport?.traffic ?? ConnectionTraffic() }
    func unacknowledgedBytes() -> Int { transport?.unacknowledgedBytes() ?? 0 }
    var isWritable: Bool { transport?.isWritable ?? false }
    var signalsReset: Bool { transport?.signalsReset ?? true }
    var negotiatedProtocol: String? { transport?.negotiatedProtocol }
    var handlerBytes: Int {
        get { ownHandlerBytes }
        set {
            ownHandlerBytes = newValue
            reportHeldBytes()
        }
    }

    func readInput(_ body: (inout ByteBuffer) -> Void) {
        lendInput { body(&$0) }
        enrol()
    }

    func send(_ body: (inout ByteBuffer) -> Void) -> Bool { send(compresses: true, body) }

    func sendUncompressed(_ body: (inout ByteBuffer) -> Void) -> Bool {
        send(compresses: false, body)
    }

    private func send(compresses: Bool, _ body: (inout ByteBuffer) -> Void) -> Bool {
        guard let transport else {
            var nowhere = ByteBuffer()
            body(&nowhere)
            return true
        }
        return transport.send { output in
            let start = output.readableBytes
            body(&output)
            let written = output.readableBytes
            compressor.rewrite(from: start, in: &output, compresses: compresses, tools)
            savedBytes += written - output.readableBytes
        }
    }

    func close(_ how: TCPConnection.Closing, reason: CloseReason) {
        transport?.close(how, reason: reason)
    }

    func handOver(to handler: any TransportHandler) { rpc = handler }
}

extension CompressedConnection: TickEndHandler {
    private func enrol() {
        if isEnrolled || transport == nil { return }
        isEnrolled = true
        reactor.observeTickEnd(self)
    }

    /// Continues with what was left in the transport's input.
    func tickEnding(on reactor: Reactor) {
        isEnrolled = false
        guard let transport else { return }
        let before = input.readableBytes
        transport.readInput { take(&$0, atMost: Self.inputMarkBytes) }
        if input.readableBytes > before { deliver() } else { reportHeldBytes() }
    }
}
