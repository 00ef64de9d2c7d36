public import RocketReactor
public import RocketSystem
public import RocketTCP

/// A `TCPConnection` on one end of a socket pair and a bare socket on the other: no port, no
/// network, no sleep.
public struct ConnectedPair {
    /// The connection under test.
    public let connection: TCPConnection
    /// Its handler.
    public let handler: RecordingConnectionHandler
    /// The other end.
    public let peer: RawPeer

    /// On the loop's thread.
    ///
    /// - Parameter kernelBufferBytes: of each direction; 0 leaves it to the kernel.
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
