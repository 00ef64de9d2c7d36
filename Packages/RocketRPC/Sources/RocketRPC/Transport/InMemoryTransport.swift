import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// One end of a byte pipe between two handlers on the same loop: a transport without a socket.
/// Bytes that one end writes during a tick are received by the other end at the end of that tick.
///
/// Buffers at most the bytes of one tick and the bytes that its handler has not consumed.
final class InMemoryTransport: Transport, TickEndHandler {
    /// The address of both ends: `unix:`, the same as that of an unnamed socket.
    static let address = NetAddress(.unnamed)
    /// With more bytes written in one tick the transport is not writable until the end of the tick.
    static let highWaterMarkBytes = 256 << 10

    private let reactor: Reactor?
    private var handler: (any TransportHandler)?
    private var peer: InMemoryTransport?
    private var input = ByteBuffer()
    private var output = ByteBuffer()
    private(set) var sentBytes: UInt64 = 0
    private var isEnrolled = false
    private var isAboveHighWater = false
    private var closing: CloseReason?
    private var isClosed = false

    private init(on reactor: Reactor?) { self.reactor = reactor }

    /// Creates an end without a peer: `bytes` is its input, and `takeOutput` returns its output.
    convenience init(input bytes: [UInt8]) {
        self.init(on: nil)
        input.append(bytes)
    }

    func takeOutput() -> [UInt8] {
        defer { output.removeAll() }
        return output.copyBytes()
    }

    /// Connects two handlers. Calls `connected` on both before it returns, on `far` first.
    static func join(
        _ near: any TransportHandler, _ far: any TransportHandler, on reactor: Reactor
    ) {
        let (nearEnd, farEnd) = (InMemoryTransport(on: reactor), InMemoryTransport(on: reactor))
        (nearEnd.peer, farEnd.peer) = (farEnd, nearEnd)
        (nearEnd.handler, farEnd.handler) = (near, far)
        far.connected(farEnd)
        near.connected(nearEnd)
    }

    // MARK: Transport

    var localAddress: NetAddress { Self.address }
    var peerAddress: NetAddress { Self.address }
    var peerIdentity: PeerIdentity { .none }
    var pendingBytes: Int { output.readableBytes }
    var isWritable: Bool { !isAboveHighWater && !isClosed && closing == nil }
    var signalsReset: Bool { true }
    var negotiatedProtocol: String? { nil }
    var handlerBytes = 0

    func readInput(_ body: (inout ByteBuffer) -> Void) { body(&input) }

    func send(_ body: (inout ByteBuffer) -> Void) -> Bool {
        if isClosed || closing != nil {
            var nowhere = ByteBuffer()
            body(&nowhere)
            return true
        }
        enrol()
        body(&output)
        // Without a loop no tick ends, so the transport would never become writable again.
        if reactor != nil, output.readableBytes > Self.highWaterMarkBytes {
            isAboveHighWater = true
        }
        return !isAboveHighWater
    }

    func close(_ how: TCPConnection.Closing, reason: CloseReason) {
        if isClosed { return }
        switch how {
        case .afterFlush: if closing != nil { return }
        case .now, .reset: output.removeAll()
        }
        closing = reason
        if how == .reset { peer?.resetByPeer() }
        enrol()
    }

    func handOver(to handler: any TransportHandler) { self.handler = handler }

    // MARK: The tick's end

    private func enrol() {
        if isEnrolled { return }
        isEnrolled = true
        reactor?.observeTickEnd(self)
    }

    func tickEnding(on reactor: Reactor) {
        isEnrolled = false
        // Moved out: what the peer does with it may write to this end, for the next round.
        var bytes = ByteBuffer()
        swap(&bytes, &output)
        if !bytes.isEmpty, let peer {
            sentBytes += UInt64(bytes.readableBytes)
            peer.deliver(&bytes)
        }
        if let closing, !isClosed { return end(closing) }
        if isAboveHighWater {
            isAboveHighWater = false
            handler?.writabilityChanged(self, isWritable: true)
        }
    }

    /// Receives the bytes that the other end has written.
    private func deliver(_ bytes: inout ByteBuffer) {
        if isClosed || closing != nil { return }
        var buffer = ByteBuffer()
        swap(&buffer, &input)
        if buffer.isEmpty {
            swap(&buffer, &bytes)
        } else {
            // SAFETY: two separate buffers, whose memory does not overlap.
            unsafe bytes.withUnsafeBytes { unsafe buffer.append($0) }
        }
        handler?.received(self, &buffer)
        if !isClosed { swap(&buffer, &input) }
    }

    private func resetByPeer() {
        if isClosed { return }
        closing = .peerReset
        output.removeAll()
        enrol()
    }

    private func end(_ reason: CloseReason) {
        isClosed = true
        let (peer, handler) = (peer, handler)
        (self.peer, self.handler) = (nil, nil)
        handler?.closed(self, reason: reason)
        peer?.peerEnded()
    }

    /// Handles the close of the other end.
    private func peerEnded() {
        peer = nil
        if isClosed || closing != nil { return }
        handler?.inputEnded(self)
    }
}

/// Connects a channel to a dispatcher in the same process, without a socket. Both ends are bound to
/// the channel's loop, and handlers run on it until they suspend.
struct InMemoryConnector: Connector {
    let dispatcher: RPCDispatcher
    let codec: TinyPBCodec
    var peerIsKnown: Bool { true }

    func connect(
        index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
        failed: @escaping (RPCError) -> Void
    ) -> () -> Void {
        let scheduler = HandlerScheduler(reactor: reactor, dispatcher: dispatcher)
        let server = ServerConnection(dispatcher: dispatcher, codec: codec, scheduler: scheduler)
        server.onClose = { scheduler.stop() }
        InMemoryTransport.join(handler, server, on: reactor)
        return {}
    }
}
