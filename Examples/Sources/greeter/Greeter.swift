import RocketBase
import RocketGRPC
import RocketRPC
import SwiftProtobuf

// docs: service
struct Greetings: GreeterService {
    func hello(_ request: HelloRequest, _ call: RPCController) async throws -> HelloResponse {
        guard !request.name.isEmpty else { throw RPCError(.invalidArgument, "the name is empty") }
        return .with { $0.text = "Hello, \(request.name)!" }
    }
}
// docs: end

// docs: serve
func makeServer(_ config: RocketConfig) throws -> RPCServer {
    try RPCServer(config: config, services: [Greetings()], protocols: [.grpc()])
}
// docs: end

// docs: client
func greet(_ name: String, at address: String) async throws -> String {
    let channel = try RPCChannel(to: address, config: RocketConfig())
    defer { channel.close() }
    let greeter = GreeterClient(channel)
    return try await greeter.hello(.with { $0.name = name }, timeout: .seconds(1)).text
}
// docs: end
