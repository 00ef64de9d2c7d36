import RocketBase
import RocketCodec
import RocketReactor
import RocketTCP

/// Connects a channel with a dispatcher in the same process, with no socket: both ends live on the
/// channel's loop, and so do the handlers until they suspend.
struct MemoryConnector: ClientConnector {
    let dispatcher: RPCDispatcher
    let codec: TinyPBCodec

    func connect(
        place: Int, on reactor: Reactor, timeout: Duration, handler: any ClientTransportHandler
    ) -> () -> Void {
        let drivers = HandlerScheduler(reactor: reactor, dispatcher: dispatcher)
        let server = ServerConnection(dispatcher: dispatcher, codec: codec, drivers: drivers)
        server.whenClosed = { drivers.stop() }
        MemoryLink.join(MemoryTransport(handler), server, on: reactor)
        return {}
    }
}

/// A pipe in memory as a channel sees it.
final class MemoryTransport: ClientTransport, ByteLinkHandler {
    private let handler: any ClientTransportHandler
    private var link: ByteLink?
    private(set) var peers = ConnectionPeers.none
    private var sentAtEnd: UInt64 = 0

    init(_ handler: any ClientTransportHandler) { self.handler = handler }

    var sentBytes: UInt64 { link?.sentBytes ?? sentAtEnd }

    /// What is written is with the other end at the tick's end.
    var isWritable: Bool { link.map { $0.pendingBytes <= Self.highWaterMarkBytes } ?? false }

    var resetIsSeen: Bool { true }

    private static let highWaterMarkBytes = 256 << 10

    func write(_ body: (inout ByteBuffer) -> Void) { link?.write(body) }

    func close(_ how: TCPConnection.Closing, reason: CloseReason) {
        link?.close(how, reason: reason)
    }

    // MARK: ByteLinkHandler

    func connected(_ link: ByteLink) {
        self.link = link
        peers = ConnectionPeers(local: link.localAddress, peer: link.peerAddress)
        handler.connected(self)
    }

    func received(_ link: ByteLink, _ input: inout ByteBuffer) { handler.received(&input) }

    func inputEnded(_ link: ByteLink) { link.close(.afterFlush, reason: .peerFinished) }

    func closed(_ link: ByteLink, reason: CloseReason) {
        sentAtEnd = link.sentBytes
        self.link = nil
        handler.closed(reason)
    }
}
