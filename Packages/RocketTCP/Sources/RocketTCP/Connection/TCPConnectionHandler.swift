public import RocketBase

/// What a layer above does with one connection. All functions run on the connection's loop,
/// never one inside another of the same connection.
public protocol TCPConnectionHandler: AnyObject {
    /// The connection is up; writing is possible from now on. First, exactly once.
    func connected(_ connection: TCPConnection)

    /// Bytes arrived behind those that were left before. Consume what you can; the rest stays
    /// and is at the front the next time. Don't keep anything of `input`.
    func received(_ connection: TCPConnection, _ input: inout ByteBuffer)

    /// The peer will send no more, but may still read. By default the connection is closed once
    /// all that waits is sent; a handler that still has something to say overrides this.
    func inputEnded(_ connection: TCPConnection)

    /// A flush left more output than the high water mark allows (false), or no more than the low
    /// one (true). True also comes, without a false before it, when writes of the tick had passed
    /// the high mark and the kernel took them: `isWritable` was false meanwhile. At the end of a
    /// tick or when the socket gets writable, never inside a write. Writing here is fine.
    func writabilityChanged(_ connection: TCPConnection, isWritable: Bool)

    /// The server drains: finish what was begun, then close.
    func draining(_ connection: TCPConnection)

    /// It is over. Last, exactly once, at the end of the tick in which it ended; also when its loop
    /// ended.
    func closed(_ connection: TCPConnection, reason: CloseReason)
}

extension TCPConnectionHandler {
    /// Nothing.
    public func connected(_ connection: TCPConnection) {}
    /// Closes after what waits was sent.
    public func inputEnded(_ connection: TCPConnection) {
        connection.close(.afterFlush, reason: .peerFinished)
    }
    /// Nothing.
    public func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {}
    /// Closes after what waits was sent.
    public func draining(_ connection: TCPConnection) {
        connection.close(.afterFlush, reason: .drained)
    }
    /// Nothing.
    public func closed(_ connection: TCPConnection, reason: CloseReason) {}
}
