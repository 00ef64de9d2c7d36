import CRocketSystem
import Glibc

/// Input and output of stream sockets. Calls are repeated after EINTR and never raise SIGPIPE. Any
/// thread.
extension FileDescriptor {
    /// Receives into `bytes`, which must not be empty (recv(2)).
    ///
    /// - Returns: the number of bytes received; 0 at the end of the stream.
    public borrowing func receive(into bytes: UnsafeMutableRawBufferPointer)
        throws(SystemError) -> IOResult<Int>
    {
        // SAFETY: the kernel writes at most `count` bytes to the buffer of the caller.
        try outcome("recv", unsafe rocket_receive(raw, bytes.baseAddress, bytes.count))
    }

    /// Sends a prefix of `bytes` (send(2)).
    ///
    /// - Returns: the number of bytes sent, possibly fewer than given.
    public borrowing func send(_ bytes: UnsafeRawBufferPointer) throws(SystemError)
        -> IOResult<Int>
    {
        // SAFETY: the kernel only reads the buffer of the caller.
        try outcome("send", unsafe rocket_send(raw, bytes.baseAddress, bytes.count))
    }

    /// Sends a prefix of several slices, at most 1024, in their order (sendmsg(2)).
    ///
    /// - Returns: the number of bytes sent, possibly fewer than given.
    public borrowing func send(slices: UnsafeBufferPointer<IOSlice>) throws(SystemError)
        -> IOResult<Int>
    {
        // SAFETY: IOSlice has rocket_slice as its only field, so the layouts are the same.
        let base = unsafe UnsafeRawPointer(slices.baseAddress)?
            .assumingMemoryBound(to: rocket_slice.self)
        return try outcome(
            "sendmsg", unsafe rocket_send_slices(raw, base, Int32(clamping: slices.count)))
    }

    /// Closes the sending direction (shutdown(2)): the peer reads all bytes sent before, then the
    /// end of the stream.
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

/// One contiguous range of memory in a vectored send (an iovec). The memory has to outlive the
/// send.
@unsafe
public struct IOSlice {
    var slice: rocket_slice

    /// - Parameter bytes: must stay valid until the send has returned.
    public init(_ bytes: UnsafeRawBufferPointer) {
        unsafe slice = rocket_slice(base: bytes.baseAddress, count: bytes.count)
    }

    /// The memory of the slice.
    public var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: slice.base, count: slice.count)
    }
}
