import RocketBase
import RocketReactor
import RocketTCP

/// Connects over TCP or a Unix socket to the first of its addresses that answers. The n-th
/// connection of a pool begins with the n-th address, so that a pool spreads over all of them.
struct TCPConnector: ClientConnector {
    let addresses: [NetAddress]

    /// Replies are read however many requests wait: a server that is not read from reads no
    /// requests either, and both would wait for ever. What waits is bounded by the channel, which
    /// writes no more while the connection is full.
    private static let configuration = {
        var configuration = TCPConnectionConfiguration()
        configuration.readsAboveHighWater = true
        return configuration
    }()

    func connect(
        place: Int, on reactor: Reactor, timeout: Duration, handler: any ClientTransportHandler
    ) -> () -> Void {
        let first = addresses.isEmpty ? 0 : place % addresses.count
        let operation = TCPClient.connect(
            to: Array(addresses[first...] + addresses[..<first]), on: reactor, timeout: timeout,
            configuration: Self.configuration, handler: TCPTransport(handler)
        ) { result in
            if case .failure(let error) = result {
                handler.connectFailed(RPCError(connecting: error))
            }
        }
        return { operation.cancel() }
    }
}

/// A TCP connection as a channel sees it.
final class TCPTransport: ClientTransport, TCPConnectionHandler {
    private let handler: any ClientTransportHandler
    private var tcp: TCPConnection?
    private(set) var peers = ConnectionPeers.none
    private var sentAtEnd: UInt64 = 0

    init(_ handler: any ClientTransportHandler) { self.handler = handler }

    var sentBytes: UInt64 { tcp?.sentBytes ?? sentAtEnd }

    var isWritable: Bool { tcp?.isWritable ?? false }

    /// A Unix socket can't be reset: the server sees an ordinary end, and still answers.
    var resetIsSeen: Bool { !peers.peer.isUnix }

    func write(_ body: (inout ByteBuffer) -> Void) { tcp?.write(body) }

    func close(_ how: TCPConnection.Closing, reason: CloseReason) {
        tcp?.close(how, reason: reason)
    }

    // MARK: TCPConnectionHandler

    func connected(_ connection: TCPConnection) {
        tcp = connection
        peers = ConnectionPeers(local: connection.localAddress, peer: connection.peerAddress)
        handler.connected(self)
    }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        handler.received(&input)
    }

    func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        if isWritable { handler.hasRoomAgain() }
    }

    func draining(_ connection: TCPConnection) {}

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        sentAtEnd = connection.sentBytes
        tcp = nil
        handler.closed(reason)
    }
}
