import RocketBase
import RocketGRPC
import RocketRPC
import RocketTLS

// docs: server
/// - Parameter keys: the file of the callers' keys; see `StaticKeys`.
func makeServer(_ config: RocketConfig, keys: String) throws -> RPCServer {
    try RPCServer(
        config: config, services: [Store()], authenticator: StaticKeys(file: keys),
        security: TLSProvider(), protocols: [.grpc()])
}
// docs: end
