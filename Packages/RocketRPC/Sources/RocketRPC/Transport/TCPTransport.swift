import RocketBase
import RocketReactor
import RocketTCP

extension TCPConnection: Transport {
    /// A Unix socket can't be reset: the peer reads an ordinary end, and may still send.
    var signalsReset: Bool { !peerAddress.isUnix }

    func readInput(_ body: (inout ByteBuffer) -> Void) { withInput(body) }

    func send(_ body: (inout ByteBuffer) -> Void) -> Bool {
        write(body)
        return !isOutputFull
    }
}

/// A handler of transports is one of TCP connections, which are transports.
extension TransportHandler {
    func connected(_ connection: TCPConnection) { connected(connection as any Transport) }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        received(connection as any Transport, &input)
    }

    func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        writabilityChanged(connection as any Transport, isWritable: isWritable)
    }

    func draining(_ connection: TCPConnection) { draining(connection as any Transport) }

    func inputEnded(_ connection: TCPConnection) { inputEnded(connection as any Transport) }

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        closed(connection as any Transport, reason: reason)
    }
}

/// Connects over TCP or a Unix socket to the first of its addresses that accepts. The n-th
/// connection of a channel begins with the n-th address, so that a pool spreads over all of them.
struct TCPConnector: Connector {
    let addresses: [NetAddress]

    /// Replies are read however many requests wait to be sent: a server that nobody reads from
    /// stops reading requests, and both sides would wait for ever. The channel bounds its output
    /// itself: it writes no more while the connection is not writable.
    private static let configuration = {
        var configuration = TCPConnectionConfiguration()
        configuration.readsAboveHighWater = true
        return configuration
    }()

    func connect(
        index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
        failed: @escaping (RPCError) -> Void
    ) -> () -> Void {
        let first = addresses.isEmpty ? 0 : index % addresses.count
        let operation = TCPClient.connect(
            to: Array(addresses[first...] + addresses[..<first]), on: reactor, timeout: timeout,
            configuration: Self.configuration, handler: handler
        ) { result in
            if case .failure(let error) = result {
                failed(RPCError(error.kind == .refused ? .peerClosed : .failedConnect, "\(error)"))
            }
        }
        return { operation.cancel() }
    }
}
