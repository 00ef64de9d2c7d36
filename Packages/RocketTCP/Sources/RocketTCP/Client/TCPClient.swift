public import RocketReactor
import RocketSystem

/// Opens connections to others.
public enum TCPClient {
    /// Connects without blocking to the first of `addresses` that answers, families in turn.
    /// On the loop that the connection is to live on.
    ///
    /// - Parameters:
    ///   - timeout: for all addresses together.
    ///   - handler: of the new connection; hears `connected` first.
    ///   - completion: once, at the end of a tick, never inside this function; after the
    ///     handler's `connected`.
    /// - Returns: what can be cancelled; need not be kept.
    @discardableResult
    public static func connect(
        to addresses: [NetAddress], on reactor: Reactor, timeout: Duration,
        configuration: TCPConnectionConfiguration = TCPConnectionConfiguration(),
        handler: any TCPConnectionHandler,
        completion: @escaping (Result<TCPConnection, ConnectError>) -> Void
    ) -> ConnectOperation {
        let operation = ConnectOperation(
            to: addresses, owner: ConnectionGroup(configuration), handler: handler, on: reactor,
            completion: completion)
        operation.begin(timeout: timeout)
        return operation
    }
}
