import RocketBase
import RocketReactor
import RocketSystem

/// The socket of one connection, which reads, sends and ends its stream only through these functions.
/// Owns the socket. Bound to the connection's loop.
struct StreamSocket: ~Copyable {
    let socket: Socket

    /// Registers the socket with the loop.
    func register(_ interest: IOInterest, handler: TCPConnection, on reactor: Reactor)
        throws(SystemError) -> Registration
    {
        try reactor.register(
            socket, interest: interest, label: "TCPConnection", handler: handler)
    }

    /// Reads once into the free space of `buffer`, which is at least `minimum`. Returns the number
    /// of bytes; 0 at the end of the stream.
    func receive(into buffer: inout ByteBuffer, minimum: Int) throws(SystemError)
        -> IOResult<Int>
    {
        var outcome = IOResult<Int>.wouldBlock
        // SAFETY: the memory is the buffer's own and does not leave the closure.
        let count = unsafe try buffer.write(minimum: minimum) { (room) throws(SystemError) in
            unsafe outcome = try socket.receive(into: room)
            if case .done(let count) = outcome { return count }
            return 0
        }
        if case .wouldBlock = outcome { return .wouldBlock }
        return .done(count)
    }

    /// Sends as much of the output as the kernel takes in one system call.
    func send(_ output: borrowing OutputQueue) throws(SystemError) -> IOResult<Int> {
        if output.hasShared {
            return unsafe try output.withSlices { (slices) throws(SystemError) in
                unsafe try socket.send(slices: slices)
            }
        }
        return try send(output.own)
    }

    /// Sends as many of the bytes as the kernel takes in one system call.
    func send(_ bytes: borrowing ByteBuffer) throws(SystemError) -> IOResult<Int> {
        // SAFETY: the kernel only reads the bytes, and only during the send.
        unsafe try bytes.withUnsafeBytes { (bytes) throws(SystemError) in
            unsafe try socket.send(bytes)
        }
    }

    /// Gives up the socket, for an object on another loop.
    consuming func release() -> Socket.Released { socket.release() }

    /// Makes the close a reset. Where the kernel refuses, the close is an ordinary one.
    func resetOnClose() { try? socket.setResetOnClose() }

    /// Ends our stream: the peer reads what was sent, then the end.
    func sendEnd() throws(SystemError) { try socket.shutdownSending() }
}
