import RocketBase
import RocketReactor
import RocketSystem

/// What lies between a connection and its socket: today nothing, later TLS.
///
/// This is the one place that encryption will take: it owns the descriptor, and the connection
/// reads, sends and ends its stream only through these functions. Bound to the connection's loop.
struct Transport: ~Copyable {
    let descriptor: FileDescriptor

    /// Asks the loop to tell of readiness.
    func register(_ interest: IOInterest, handler: TCPConnection, on reactor: Reactor)
        throws(SystemError) -> Registration
    {
        try reactor.register(
            descriptor, interest: interest, label: "TCPConnection", handler: handler)
    }

    /// Up to `buffer`'s room, at least `minimum`, in one read. 0 is the end of the stream.
    func receive(into buffer: inout ByteBuffer, minimum: Int) throws(SystemError)
        -> IOResult<Int>
    {
        var outcome = IOResult<Int>.wouldBlock
        // SAFETY: the memory is the buffer's own and does not leave the closure.
        let count = unsafe try buffer.write(minimum: minimum) { (room) throws(SystemError) in
            unsafe outcome = try descriptor.receive(into: room)
            if case .done(let count) = outcome { return count }
            return 0
        }
        if case .wouldBlock = outcome { return .wouldBlock }
        return .done(count)
    }

    /// As much of what waits as one send takes.
    func send(_ output: borrowing OutputQueue) throws(SystemError) -> IOResult<Int> {
        if output.hasShared {
            return unsafe try output.withPieces { (pieces) throws(SystemError) in
                unsafe try descriptor.send(pieces: pieces)
            }
        }
        // SAFETY: the kernel only reads the bytes, and only during the send.
        return unsafe try output.own.withUnsafeBytes { (bytes) throws(SystemError) in
            unsafe try descriptor.send(bytes)
        }
    }

    /// Closing will cut the connection. Where the kernel refuses, it is closed like any other.
    func resetOnClose() { try? descriptor.setResetOnClose() }

    /// The peer will read what was sent, then the end.
    func sendEnd() throws(SystemError) { try descriptor.shutdownSending() }
}
