import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP

/// A channel's side on its loop: makes the connection and hands calls to it.
final class ChannelCore {
    private let reactor: Reactor
    private let address: NetAddress
    private let configuration: RPCChannelConfiguration
    private let logger: Logger
    private let target: String
    private var connection: ClientConnection?
    private var isClosed = false

    init(
        reactor: Reactor, address: NetAddress, configuration: RPCChannelConfiguration,
        logger: Logger, target: String
    ) {
        self.reactor = reactor
        self.address = address
        self.configuration = configuration
        self.logger = logger
        self.target = target
    }

    func start(_ call: any OutgoingCall, id: CallID) {
        if isClosed { return call.fail(RPCError(.channelInit, "the channel is closed")) }
        // Checked here, where a cancellation that came earlier must have left its mark.
        if call.isCancelled {
            return call.fail(RPCError(.cancelled, "the caller gave the call up"))
        }
        (connection ?? connect()).start(call, id: id)
    }

    func cancel(_ id: CallID) { connection?.cancel(id) }

    func close() {
        isClosed = true
        connection?.close()
    }

    private func connect() -> ClientConnection {
        let connection = ClientConnection(
            reactor: reactor, configuration: configuration, logger: logger, target: target
        ) { [weak self] closed in
            if self?.connection === closed { self?.connection = nil }
        }
        self.connection = connection
        TCPClient.connect(
            to: [address], on: reactor, timeout: configuration.connectTimeout, handler: connection
        ) { result in
            if case .failure(let error) = result {
                connection.failed(RPCError(connecting: error))
            }
        }
        return connection
    }
}
