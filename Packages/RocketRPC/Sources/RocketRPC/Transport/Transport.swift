import RocketBase
import RocketReactor
import RocketTCP

/// A bidirectional byte stream to one peer, used by the connections of servers and channels. Bound
/// to one loop; every function must be called on that loop's thread.
///
/// Implemented by `TCPConnection` (TCP and Unix sockets) and `InMemoryTransport`. Another kind,
/// such as a simulated network or TLS over any of these, conforms to this protocol and is created
/// by a `Connector` on a channel and by a `ConnectionListener` on a server.
protocol Transport: AnyObject {
    var localAddress: NetAddress { get }
    var peerAddress: NetAddress { get }
    /// The number of written bytes that the peer may have received. Constant once the transport is
    /// closed.
    var sentBytes: UInt64 { get }
    /// The number of bytes that wait to be sent.
    var pendingBytes: Int { get }
    /// False from the time the output exceeds the high water mark until it has fallen to the low
    /// water mark, and while the transport closes. The handler is notified by `writabilityChanged`.
    var isWritable: Bool { get }
    /// Whether the peer can distinguish a close by `.reset` from an ordinary end of input.
    var signalsReset: Bool { get }

    /// Runs `body` with the input that the handler has not consumed in `received`. Must not be
    /// called from `received`.
    func readInput(_ body: (inout ByteBuffer) -> Void)
    /// Appends to the output that is sent at the end of this tick. Discards the bytes once closed.
    ///
    /// - Returns: false if the output is now above its high water mark; the handler is notified by
    ///   `writabilityChanged` when there is room again.
    @discardableResult
    func send(_ body: (inout ByteBuffer) -> Void) -> Bool
    /// Closes the transport. The handler's `closed` is called at the end of a tick. A second call
    /// has no effect, except `.now` or `.reset` after `.afterFlush`.
    func close(_ how: TCPConnection.Closing, reason: CloseReason)
}

/// Handles the events of a transport. All functions run on its loop, and are never nested for the
/// same transport.
///
/// The contract is that of `TCPConnectionHandler`: `connected` is called first and once, `closed`
/// last and once.
protocol TransportHandler: TCPConnectionHandler {
    func connected(_ transport: any Transport)
    /// Bytes have been appended to the input. Bytes that are not consumed remain in it.
    func received(_ transport: any Transport, _ input: inout ByteBuffer)
    func writabilityChanged(_ transport: any Transport, isWritable: Bool)
    /// The server has begun to drain.
    func draining(_ transport: any Transport)
    /// The peer has half-closed the connection: it sends no more bytes, but may still read.
    func inputEnded(_ transport: any Transport)
    func closed(_ transport: any Transport, reason: CloseReason)
}

/// Opens the transports of a channel.
protocol Connector: Sendable {
    /// Starts to connect, on the channel's loop. Calls either `handler.connected` or `failed`,
    /// once, before it returns or later.
    ///
    /// - Parameter index: the index of the connection within the channel, from 0.
    /// - Returns: a closure that cancels the attempt; `failed` may still be called.
    func connect(
        index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
        failed: @escaping (RPCError) -> Void
    ) -> () -> Void
}
