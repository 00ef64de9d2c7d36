import RocketProgram
import RocketBase
import RocketRPC
import RocketTCP

/// Whom to call: an address as typed, or a stub of the configuration.
enum CallTarget: CustomStringConvertible {
    case address(NetAddress)
    case stub(StubConfig, RocketConfig)

    /// The stub that is called when nobody says whom.
    static let defaultStub = "order"

    init(_ options: CallOptions) throws(ProgramFailure) {
        let name = options.to ?? Self.defaultStub
        // No stub's name contains a colon, and every address does.
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
            // A configuration with one stub only leaves no doubt who is meant.
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
