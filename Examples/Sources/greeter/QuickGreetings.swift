import RocketBase
import RocketRPC
import SwiftProtobuf

// docs: synchronous
/// The same service by a handler that never waits. It runs on the loop of its connection, without a
/// task: 2,300 instructions a call in place of 5,200.
struct QuickGreetings: SynchronousGreeterService {
    func hello(_ request: HelloRequest, _ call: RPCController) throws -> HelloResponse {
        guard !request.name.isEmpty else { throw RPCError(.invalidArgument, "the name is empty") }
        return .with { $0.text = "Hello, \(request.name)!" }
    }
}
// docs: end
