public import RocketReactor
public import RocketSystem
public import RocketTCP

/// A `TCPConnection` on one end of a socket pair and a bare socket on the other, without port and
/// network. Bound to the loop's thread.
public struct ConnectedPair {
    /// The connection under test.
    public let connection: TCPConnection
    /// Its handler.
    public let handler: RecordingConnectionHandler
    /// The other end.
    public let peer: RawPeer

    /// Connects the pair, on the loop's thread.
    ///
    /// - Parameter kernelBufferBytes: the kernel's buffer of each direction; 0: chosen by the
    ///   kernel. Default 0.
    public init(
        on reactor: Reactor,
        configuration: TCPConnectionConfiguration = TCPConnectionConfiguration(),
        kernelBufferBytes: Int = 0,
        handler: RecordingConnectionHandler = RecordingConnectionHandler()
    ) throws(SystemError) {
        let pair = try FileDescriptor.socketPair()
        try pair.first.setKernelBuffers(send: kernelBufferBytes, receive: kernelBufferBytes)
        var made: (TCPConnection, RawPeer)?
        pair.take { near, far in
            made = (
                TCPConnection.adopt(
                    near, on: reactor, configuration: configuration, handler: handler),
                RawPeer(far)
            )
        }
        guard let made else { preconditionFailure("take runs its closure") }
        self.handler = handler
        (connection, peer) = made
    }
}
