/// Makes the sockets of a loop in a simulation, in place of the kernel. Any thread may hold it; its
/// functions are called on the thread that drives the simulation.
@_spi(Simulation)
public protocol SimulatedNetwork: AnyObject, Sendable {
    /// Creates a stream socket of the family of `address` (socket(2)).
    ///
    /// - Throws: `SystemError` (EMFILE, EAFNOSUPPORT).
    func makeSocket(for address: SocketAddress) throws(SystemError) -> any SimulatedSocket
}

/// A stream socket of a simulated network, always non-blocking. The functions have the results and
/// the errors of the system calls that they are named after. Owned by one `Socket`, which closes it.
@_spi(Simulation)
public protocol SimulatedSocket: AnyObject, Sendable {
    /// Its number for the loop's event source: 0 or more, unique among the open sockets of its host.
    var number: Int32 { get }
    /// bind(2); the network chooses a port in place of 0.
    func bind(to address: SocketAddress) throws(SystemError)
    /// listen(2).
    func listen(backlog: Int) throws(SystemError)
    /// accept4(2); nil: none waits.
    func accept() throws(SystemError) -> (socket: any SimulatedSocket, peer: SocketAddress)?
    /// connect(2).
    func connect(to address: SocketAddress) throws(SystemError) -> ConnectOutcome
    /// recv(2) into `bytes`, which is not empty; 0 at the end of the stream.
    func receive(into bytes: UnsafeMutableRawBufferPointer) throws(SystemError) -> IOResult<Int>
    /// send(2) of a prefix of `bytes`.
    func send(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> IOResult<Int>
    /// shutdown(2) of the sending direction.
    func shutdownSending() throws(SystemError)
    /// SO_LINGER with zero: `close` resets the connection.
    func setResetOnClose()
    /// SO_ERROR: returns the pending error and clears it.
    func takeError() -> Errno?
    /// getsockname(2).
    func localAddress() throws(SystemError) -> SocketAddress
    /// getpeername(2).
    func peerAddress() throws(SystemError) -> SocketAddress
    /// TCP_INFO.
    func tcpProgress() throws(SystemError) -> TCPProgress
    /// SIOCOUTQ.
    func queuedOutputBytes() throws(SystemError) -> Int
    /// close(2).
    func close()
}

/// Closes a simulated socket once, at the end of its owner.
struct SimulatedSocketOwner: ~Copyable, Sendable {
    private var owned: (any SimulatedSocket)?
    let socket: any SimulatedSocket

    init(_ socket: any SimulatedSocket) {
        self.socket = socket
        owned = socket
    }

    deinit { owned?.close() }

    consuming func release() -> any SimulatedSocket {
        owned = nil
        return socket
    }
}
