import RocketBase
import RocketProgram
import RocketRPC
import RocketTCP

/// The server to be called: an address, or a stub of the configuration.
enum CallTarget: CustomStringConvertible {
    case address(NetAddress, PeerKind)
    case stub(StubConfig, RocketConfig)

    /// The stub without --to.
    static let defaultStub = "order"

    init(_ options: CallOptions) throws(ProgramFailure) {
        let name = options.to ?? Self.defaultStub
        // Every address contains a colon, and no name of a stub does.
        if name.contains(":") {
            do {
                self = .address(try NetAddress(parsing: name), options.peer ?? .rocketSwift)
            } catch {
                throw ProgramFailure("--to \(name): \(error)", status: .usage)
            }
            return
        }
        var config = try ConfigurationFile.read(options.config)
        if let peer = options.peer {
            for index in config.stubs.indices { config.stubs[index].peer = peer }
        }
        do {
            self = .stub(try config.stub(named: name), config)
        } catch {
            // The only stub of a configuration is used whatever its name is.
            if options.to == nil, config.stubs.count == 1 {
                self = .stub(config.stubs[0], config)
            } else {
                throw ProgramFailure(
                    "\(options.config): \(error)", status: .configuration)
            }
        }
    }

    var description: String {
        switch self {
        case .address(let address, _): address.description
        case .stub(let stub, _): "\(stub.name) (\(stub.endpoint))"
        }
    }

    /// What the server is.
    var peer: PeerKind {
        switch self {
        case .address(_, let peer): peer
        case .stub(let stub, _): stub.peer
        }
    }

    func channel() throws(RPCError) -> RPCChannel {
        switch self {
        case .address(let address, let peer):
            var configuration = RPCChannelConfiguration()
            configuration.peer = peer
            return try RPCChannel(to: address, configuration: configuration)
        case .stub(let stub, let config): return try RPCChannel(to: stub.name, config: config)
        }
    }
}
