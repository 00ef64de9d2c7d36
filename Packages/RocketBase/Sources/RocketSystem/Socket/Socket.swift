/// A stream socket of a loop: one of the kernel, or one of a simulated network. Owns it and closes
/// it exactly once. Non-blocking. Bound to the loop that uses it.
///
/// The functions are those of `FileDescriptor`; a call on a socket of the kernel costs one branch
/// more.
public struct Socket: ~Copyable, Sendable {
    // Not private: other modules destroy a socket, and link to the type for that.
    enum Backing: ~Copyable, Sendable {
        case kernel(FileDescriptor)
        case simulated(SimulatedSocketOwner)
    }

    let backing: Backing

    /// Takes ownership of a socket of the kernel.
    public init(_ descriptor: consuming FileDescriptor) { backing = .kernel(descriptor) }

    /// Takes ownership of a simulated socket.
    @_spi(Simulation)
    public init(_ socket: any SimulatedSocket) {
        backing = .simulated(SimulatedSocketOwner(socket))
    }

    /// Creates a socket of the address family of `address`.
    ///
    /// - Parameter network: nil: of the kernel.
    @_spi(Simulation)
    public init(for address: SocketAddress, in network: (any SimulatedNetwork)?)
        throws(SystemError)
    {
        if let network {
            self.init(try network.makeSocket(for: address))
        } else {
            self.init(try FileDescriptor.streamSocket(for: address))
        }
    }

    /// The number under which a poller knows the socket.
    public var number: Int32 {
        switch backing {
        case .kernel(let descriptor): descriptor.raw
        case .simulated(let owner): owner.socket.number
        }
    }

    /// Runs `body` with the descriptor; does nothing for a simulated socket. For options of the
    /// kernel, which a simulation has no use for.
    public borrowing func withDescriptor(
        _ body: (borrowing FileDescriptor) throws(SystemError) -> Void
    ) throws(SystemError) {
        switch backing {
        case .kernel(let descriptor): try body(descriptor)
        case .simulated: break
        }
    }

    /// A socket on its way to the thread that will own it. The receiver makes a `Socket` of it, or
    /// it leaks.
    public struct Released: Sendable {
        enum Backing: Sendable {
            case kernel(Int32)
            case simulated(any SimulatedSocket)
        }

        let backing: Backing

        /// The number of a socket of the kernel.
        public var raw: Int32? { if case .kernel(let raw) = backing { raw } else { nil } }
    }

    /// Takes ownership of what `release` returned. Once.
    public init(owning released: Released) {
        switch released.backing {
        case .kernel(let raw): self.init(FileDescriptor(owning: raw))
        case .simulated(let socket): self.init(socket)
        }
    }

    /// Gives up ownership.
    public consuming func release() -> Released {
        switch consume backing {
        case .kernel(let descriptor): Released(backing: .kernel(descriptor.release()))
        case .simulated(let owner): Released(backing: .simulated(owner.release()))
        }
    }
}

// MARK: - System calls

/// The outcome of accept4(2).
public enum AcceptedSocketOutcome: ~Copyable {
    case accepted(Socket, peer: SocketAddress)
    case wouldBlock
}

extension Socket {
    /// Binds the socket to `address` (bind(2)).
    public borrowing func bind(to address: SocketAddress) throws(SystemError) {
        switch backing {
        case .kernel(let descriptor): try descriptor.bind(to: address)
        case .simulated(let owner): try owner.socket.bind(to: address)
        }
    }

    /// Starts listening (listen(2)).
    public borrowing func listen(backlog: Int) throws(SystemError) {
        switch backing {
        case .kernel(let descriptor): try descriptor.listen(backlog: backlog)
        case .simulated(let owner): try owner.socket.listen(backlog: backlog)
        }
    }

    /// Accepts one pending connection; the errors are those of `FileDescriptor.accept`.
    public borrowing func accept() throws(SystemError) -> AcceptedSocketOutcome {
        switch backing {
        case .kernel(let descriptor):
            switch try descriptor.accept() {
            case .accepted(let accepted, let peer): return .accepted(Socket(accepted), peer: peer)
            case .wouldBlock: return .wouldBlock
            }
        case .simulated(let owner):
            guard let (socket, peer) = try owner.socket.accept() else { return .wouldBlock }
            return .accepted(Socket(socket), peer: peer)
        }
    }

    /// Starts connecting to `address` (connect(2)).
    public borrowing func connect(to address: SocketAddress) throws(SystemError) -> ConnectOutcome {
        switch backing {
        case .kernel(let descriptor): try descriptor.connect(to: address)
        case .simulated(let owner): try owner.socket.connect(to: address)
        }
    }

    /// Returns and clears the pending error of the socket (SO_ERROR); nil when there is none.
    public borrowing func socketError() -> Errno? {
        switch backing {
        case .kernel(let descriptor): descriptor.socketError()
        case .simulated(let owner): owner.socket.takeError()
        }
    }

    /// Returns the local address (getsockname(2)).
    public borrowing func localAddress() throws(SystemError) -> SocketAddress {
        switch backing {
        case .kernel(let descriptor): try descriptor.localAddress()
        case .simulated(let owner): try owner.socket.localAddress()
        }
    }

    /// Returns the address of the peer (getpeername(2)).
    public borrowing func peerAddress() throws(SystemError) -> SocketAddress {
        switch backing {
        case .kernel(let descriptor): try descriptor.peerAddress()
        case .simulated(let owner): try owner.socket.peerAddress()
        }
    }

    /// Receives into `bytes`, which must not be empty (recv(2)).
    ///
    /// - Returns: the number of bytes received; 0 at the end of the stream.
    @inline(__always)
    public borrowing func receive(into bytes: UnsafeMutableRawBufferPointer)
        throws(SystemError) -> IOResult<Int>
    {
        switch backing {
        case .kernel(let descriptor): unsafe try descriptor.receive(into: bytes)
        case .simulated(let owner): unsafe try owner.socket.receive(into: bytes)
        }
    }

    /// Sends a prefix of `bytes` (send(2)).
    ///
    /// - Returns: the number of bytes sent, possibly fewer than given.
    @inline(__always)
    public borrowing func send(_ bytes: UnsafeRawBufferPointer) throws(SystemError)
        -> IOResult<Int>
    {
        switch backing {
        case .kernel(let descriptor): unsafe try descriptor.send(bytes)
        case .simulated(let owner): unsafe try owner.socket.send(bytes)
        }
    }

    /// Sends a prefix of several slices, at most 1024, in their order (sendmsg(2)). A simulated
    /// socket sends a prefix of the first one that is not empty.
    ///
    /// - Returns: the number of bytes sent, possibly fewer than given.
    public borrowing func send(slices: UnsafeBufferPointer<IOSlice>) throws(SystemError)
        -> IOResult<Int>
    {
        switch backing {
        case .kernel(let descriptor): return unsafe try descriptor.send(slices: slices)
        case .simulated(let owner):
            guard let first = unsafe slices.first(where: { unsafe !$0.bytes.isEmpty }) else {
                return .done(0)
            }
            return unsafe try owner.socket.send(first.bytes)
        }
    }

    /// Closes the sending direction (shutdown(2)): the peer reads all bytes sent before, then the
    /// end of the stream.
    public borrowing func shutdownSending() throws(SystemError) {
        switch backing {
        case .kernel(let descriptor): try descriptor.shutdownSending()
        case .simulated(let owner): try owner.socket.shutdownSending()
        }
    }

    /// Sets SO_LINGER to zero: closing resets the connection, and the peer gets ECONNRESET.
    public borrowing func setResetOnClose() throws(SystemError) {
        switch backing {
        case .kernel(let descriptor): try descriptor.setResetOnClose()
        case .simulated(let owner): owner.socket.setResetOnClose()
        }
    }

    /// Returns what is known of the answers of a TCP peer (TCP_INFO).
    public borrowing func tcpProgress() throws(SystemError) -> TCPProgress {
        switch backing {
        case .kernel(let descriptor): try descriptor.tcpProgress()
        case .simulated(let owner): try owner.socket.tcpProgress()
        }
    }

    /// Returns the bytes that were sent and that the peer's machine has not acknowledged (SIOCOUTQ).
    public borrowing func queuedOutputBytes() throws(SystemError) -> Int {
        switch backing {
        case .kernel(let descriptor): try descriptor.queuedOutputBytes()
        case .simulated(let owner): try owner.socket.queuedOutputBytes()
        }
    }

    /// Returns the credentials of the peer (SO_PEERCRED). Unix sockets of the kernel only.
    public borrowing func peerCredentials() throws(SystemError) -> PeerCredentials {
        switch backing {
        case .kernel(let descriptor): try descriptor.peerCredentials()
        case .simulated: throw SystemError("SO_PEERCRED", .notSupported)
        }
    }
}
