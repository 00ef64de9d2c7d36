public import RocketReactor
public import RocketSystem

/// A connection that a server has accepted and whose handshake has not ended: its handler has not been
/// called. For those who watch a server. Bound to its loop.
@_spi(Transport)
public struct UnfinishedHandshake {
    /// The handler that the server has made for it.
    public let handler: any TCPConnectionHandler
    /// The address of the peer.
    public let peerAddress: NetAddress
    /// What has been sent and received.
    public let traffic: ConnectionTraffic
    /// When it was accepted.
    public let since: MonotonicTime

    /// Returns those of a loop, in no particular order. Looks at each connection; on the loop.
    public static func all(on reactor: Reactor) -> [UnfinishedHandshake] {
        LoopConnections.of(reactor).connections.compactMap { connection in
            guard connection.number > 0, connection.security != nil,
                connection.machine.isConnecting, let handler = connection.handler
            else { return nil }
            return UnfinishedHandshake(
                handler: handler, peerAddress: connection.peerAddress,
                traffic: connection.traffic, since: connection.deadlines.connectedAt)
        }
    }
}
