public import RocketBase

/// Handles the events of one connection. All functions are called on the connection's loop, never
/// one inside another of the same connection.
public protocol TCPConnectionHandler: AnyObject {
    /// Called first, exactly once: the connection is established, and writing is possible.
    func connected(_ connection: TCPConnection)

    /// Called when bytes have arrived behind those that were left before. Consume whole frames; the
    /// rest stays and is at the front the next time. Don't keep a reference into `input`: its
    /// memory is reused.
    func received(_ connection: TCPConnection, _ input: inout ByteBuffer)

    /// Called when the peer will send no more. It may still read. By default the connection is
    /// closed after the output has been sent; a handler that has replies to send overrides this.
    func inputEnded(_ connection: TCPConnection)

    /// Called with false when a flush has left output above the high water mark, and with true when
    /// one has left no more than the low mark. True is also passed without a false before it, when
    /// writes of the tick had passed the high mark and the kernel took them: `isWritable` was false
    /// meanwhile. Never called inside a write; writing here is allowed.
    func writabilityChanged(_ connection: TCPConnection, isWritable: Bool)

    /// Called when the server drains: complete what was begun, then close.
    func draining(_ connection: TCPConnection)

    /// Called when the time for the drain is up: tell the peer what it will not get, then close with
    /// `.afterFlush`. What is open a second later is closed as it is. Not called where a drain has
    /// no time at all.
    func drainTimedOut(_ connection: TCPConnection)

    /// Called last, exactly once, at the end of the tick in which the connection ended; also when
    /// its loop ended.
    func closed(_ connection: TCPConnection, reason: CloseReason)
}

extension TCPConnectionHandler {
    /// Does nothing.
    public func connected(_ connection: TCPConnection) {}
    /// Closes after the output has been sent.
    public func inputEnded(_ connection: TCPConnection) {
        connection.close(.afterFlush, reason: .peerFinished)
    }
    /// Does nothing.
    public func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {}
    /// Closes after the output has been sent.
    public func draining(_ connection: TCPConnection) {
        connection.close(.afterFlush, reason: .drained)
    }
    /// Closes at once.
    public func drainTimedOut(_ connection: TCPConnection) {
        connection.close(.now, reason: .drained)
    }
    /// Does nothing.
    public func closed(_ connection: TCPConnection, reason: CloseReason) {}
}
