import RocketBase
import RocketProgram
import RocketRPC
import RocketTCP

/// The server to be called: an address, or a stub of the configuration.
enum CallTarget: CustomStringConvertible {
    case address(NetAddress)
    case stub(StubConfig, RocketConfig)

    /// The stub without --to.
    static let defaultStub = "order"

    init(_ options: CallOptions) throws(ProgramFailure) {
        let name = options.to ?? Self.defaultStub
        // Every address contains a colon, and no name of a stub does.
        if name.contains(":") {
            do { self = .address(try NetAddress(parsing: name)) } catch {
                throw ProgramFailure("--to \(name): \(error)")
            }
            return
        }
        let config = try ConfigurationFile.read(options.config)
        do {
            self = .stub(try config.stub(named: name), config)
        } catch {
            // The only stub of a configuration is used whatever its name is.
            if options.to == nil, config.stubs.count == 1 {
                self = .stub(config.stubs[0], config)
            } else {
                throw ProgramFailure("\(options.config): \(error)")
            }
        }
    }

    var description: String {
        switch self {
        case .address(let address): address.description
        case .stub(let stub, _): "\(stub.name) (\(stub.endpoint))"
        }
    }

    func channel() throws(RPCError) -> RPCChannel {
        switch self {
        case .address(let address): try RPCChannel(to: address)
        case .stub(let stub, let config): try RPCChannel(to: stub.name, config: config)
        }
    }
}
