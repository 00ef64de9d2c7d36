import RocketBase
import RocketReactor
import RocketTCP

/// A stream of bytes to one peer, in both directions: what a connection for calls runs on, on the
/// server's side and on the channel's. Bound to one loop; every function is for that loop's thread.
///
/// `TCPConnection` is one (TCP and Unix sockets), `InMemoryTransport` another. A further kind, such
/// as a simulated link or TLS over any of these, conforms to this protocol and is handed in: by a
/// `Connector` on the channel's side, by what accepts on the server's.
protocol Transport: AnyObject {
    var localAddress: NetAddress { get }
    var peerAddress: NetAddress { get }
    /// Bytes that the peer may have received, of all that were written. Does not change any more
    /// once the transport is closed.
    var sentBytes: UInt64 { get }
    /// Bytes that wait to be sent.
    var pendingBytes: Int { get }
    /// False from the high water mark until the output has fallen to the low one, and once closing.
    /// After false, the handler is notified by `writabilityChanged` when there is room again.
    var isWritable: Bool { get }
    /// Whether the peer can tell a close by `.reset` from an ordinary end.
    var signalsReset: Bool { get }

    /// Takes from what the handler left in `received`. Not from inside `received`.
    func readInput(_ body: (inout ByteBuffer) -> Void)
    /// Appends to what is sent at the end of this tick. Once closed, what is written is dropped.
    ///
    /// - Returns: false where the output is above its high water mark now; the handler is notified
    ///   by `writabilityChanged` when there is room again.
    @discardableResult
    func send(_ body: (inout ByteBuffer) -> Void) -> Bool
    /// Closes. The handler's `closed` follows at the end of a tick. Again: no effect, except `.now`
    /// or `.reset` after `.afterFlush`.
    func close(_ how: TCPConnection.Closing, reason: CloseReason)
}

/// Observes the life of a transport. All functions run on its loop, never one inside another of the
/// same transport.
///
/// The contract is that of `TCPConnectionHandler`: `connected` first and once, `closed` last and
/// once.
protocol TransportHandler: TCPConnectionHandler {
    func connected(_ transport: any Transport)
    /// Bytes have arrived behind those that were left before. What is not consumed stays.
    func received(_ transport: any Transport, _ input: inout ByteBuffer)
    func writabilityChanged(_ transport: any Transport, isWritable: Bool)
    /// The server drains.
    func draining(_ transport: any Transport)
    /// The peer sends no more, but may still read.
    func inputEnded(_ transport: any Transport)
    func closed(_ transport: any Transport, reason: CloseReason)
}

/// Opens the transports of a channel.
protocol Connector: Sendable {
    /// Begins to connect, on the channel's loop. Either `handler.connected` or `failed` is called,
    /// once, before this returns or later.
    ///
    /// - Parameter index: which of the channel's connections it is, from 0 on.
    /// - Returns: cancels the attempt; `failed` may still be called.
    func connect(
        index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
        failed: @escaping (RPCError) -> Void
    ) -> () -> Void
}
