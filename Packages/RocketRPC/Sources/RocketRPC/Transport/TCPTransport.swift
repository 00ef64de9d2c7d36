import RocketBase
import RocketReactor
import RocketTCP

extension TCPConnection: Transport {
    /// False for a Unix socket, which can't be reset: the peer reads an ordinary end of input, and
    /// may still send.
    var signalsReset: Bool { !peerAddress.isUnix }

    func readInput(_ body: (inout ByteBuffer) -> Void) { withInput(body) }

    func send(_ body: (inout ByteBuffer) -> Void) -> Bool {
        write(body)
        return !isOutputFull
    }
}

/// Implements `TCPConnectionHandler` by the functions of `TransportHandler`.
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

/// Connects over TCP or a Unix socket, to the first address that accepts. The n-th connection of a
/// channel tries the n-th address first, so that a pool is distributed over all addresses.
struct TCPConnector: Connector {
    let addresses: [NetAddress]

    /// Reads replies regardless of the number of unsent requests. Otherwise both sides would wait
    /// for ever: a server whose replies are not read stops reading requests. The channel bounds its
    /// output itself: it does not write while the connection is not writable.
    let configuration: TCPConnectionConfiguration

    /// - Parameter maxFrameBytes: the largest frame; the buffers of a connection hold one.
    init(addresses: [NetAddress], maxFrameBytes: Int) {
        self.addresses = addresses
        var configuration = TCPConnectionConfiguration()
        configuration.readsAboveHighWater = true
        configuration.inputLimitBytes = max(configuration.inputLimitBytes, maxFrameBytes)
        configuration.outputLimitBytes = max(
            configuration.outputLimitBytes, configuration.highWaterMarkBytes + maxFrameBytes)
        self.configuration = configuration
    }

    func connect(
        index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
        failed: @escaping (RPCError) -> Void
    ) -> () -> Void {
        let first = addresses.isEmpty ? 0 : index % addresses.count
        let operation = TCPClient.connect(
            to: Array(addresses[first...] + addresses[..<first]), on: reactor, timeout: timeout,
            configuration: configuration, handler: handler
        ) { result in
            if case .failure(let error) = result { failed(RPCError(.failedConnect, "\(error)")) }
        }
        return { operation.cancel() }
    }
}
