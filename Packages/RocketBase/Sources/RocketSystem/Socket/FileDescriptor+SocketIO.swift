import CRocketSystem
import Glibc

/// Bytes in and out of stream sockets: EINTR is repeated, SIGPIPE never raised. Any thread.
extension FileDescriptor {
    /// recv(2): how many bytes arrived; 0 is the end of the stream. `bytes` is not empty.
    public borrowing func receive(into bytes: UnsafeMutableRawBufferPointer)
        throws(SystemError) -> IOResult<Int>
    {
        // SAFETY: the kernel writes at most `count` bytes to the buffer that the caller lends.
        try outcome("recv", unsafe rocket_receive(raw, bytes.baseAddress, bytes.count))
    }

    /// send(2): how many bytes were taken, possibly fewer than given.
    public borrowing func send(_ bytes: UnsafeRawBufferPointer) throws(SystemError)
        -> IOResult<Int>
    {
        // SAFETY: the kernel only reads the buffer that the caller lends.
        try outcome("send", unsafe rocket_send(raw, bytes.baseAddress, bytes.count))
    }

    /// sendmsg(2) of several pieces (at most 1024), in their order.
    public borrowing func send(pieces: UnsafeBufferPointer<IOSlice>) throws(SystemError)
        -> IOResult<Int>
    {
        // SAFETY: IOSlice has rocket_piece as its only field, so the layouts are the same.
        let base = unsafe UnsafeRawPointer(pieces.baseAddress)?
            .assumingMemoryBound(to: rocket_piece.self)
        return try outcome(
            "sendmsg", unsafe rocket_send_pieces(raw, base, Int32(clamping: pieces.count)))
    }

    /// shutdown(2) of the sending side: the peer reads what was sent, then the end.
    public borrowing func shutdownSending() throws(SystemError) {
        try check("shutdown", Glibc.shutdown(raw, Int32(SHUT_WR)))
    }

    @inline(__always)
    private borrowing func outcome(_ operation: String, _ result: Int) throws(SystemError)
        -> IOResult<Int>
    {
        if result >= 0 { return .done(result) }
        let error = Errno.current
        if error.isWouldBlock { return .wouldBlock }
        throw SystemError(operation, error)
    }
}

/// One stretch of memory in a vectored send. The memory has to outlive the send.
@unsafe
public struct IOSlice {
    var piece: rocket_piece

    /// `bytes` stays valid until the send is done.
    public init(_ bytes: UnsafeRawBufferPointer) {
        unsafe piece = rocket_piece(base: bytes.baseAddress, count: bytes.count)
    }

    /// What it was made of.
    public var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: piece.base, count: piece.count)
    }
}
