import RocketBase
import RocketReactor
import RocketTCP

/// What carries one connection of a channel: bytes to a server and back. Bound to the channel's
/// loop. There is one over TCP; whatever else does the same can stand in its place.
protocol ClientTransport: AnyObject {
    /// Both ends.
    var peers: ConnectionPeers { get }
    /// Of all bytes that were written, how many the other side may have. Stays as it is from the
    /// end of the connection on.
    var sentBytes: UInt64 { get }
    /// False while so much waits to be sent that no more should be written; the handler hears when
    /// there is room again, unless there is at the end of this tick.
    var isWritable: Bool { get }
    /// Whether a close by `reset` tells the server that nobody waits any more.
    var resetIsSeen: Bool { get }

    /// Appends to what is sent at the end of this tick. After the end it goes nowhere.
    func write(_ body: (inout ByteBuffer) -> Void)

    /// Ends it; the handler hears `closed`, later. Again: nothing.
    func close(_ how: TCPConnection.Closing, reason: CloseReason)
}

/// What happens to a transport. On the channel's loop, never from inside `write` or `close`.
protocol ClientTransportHandler: AnyObject {
    /// It can be written to from now on. First, once.
    func connected(_ transport: any ClientTransport)
    /// In place of `connected`, once, and nothing after it.
    func connectFailed(_ error: RPCError)
    /// Bytes arrived behind those that were left before. What is not consumed stays.
    func received(_ input: inout ByteBuffer)
    /// It was not writable at a tick's end, and is now.
    func hasRoomAgain()
    /// The end. Last, once.
    func closed(_ reason: CloseReason)
}

/// Makes a channel's connections.
protocol ClientConnector: Sendable {
    /// Begins to connect, on the channel's loop; tells `handler` how that went, before it returns
    /// or later.
    ///
    /// - Parameters:
    ///   - place: which of the channel's connections it is, from 0 on.
    /// - Returns: gives it up; `connectFailed` may still come.
    func connect(
        place: Int, on reactor: Reactor, timeout: Duration, handler: any ClientTransportHandler
    ) -> () -> Void
}
