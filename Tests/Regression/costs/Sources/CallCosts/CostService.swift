import RocketRPC
import SwiftProtobuf

typealias Number = Google_Protobuf_Int64Value

/// Answers at once, or never in time.
struct CostService: RPCService {
    static let serviceName = "cost.Cost"
    static let echo = RPCMethod<Number, Number>(service: serviceName, name: "echo")
    static let never = RPCMethod<Number, Number>(service: serviceName, name: "never")

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.echo) { request, _ in request }
        try registry.add(Self.never) { request, _ in
            // Ends when the caller has given up, which cancels this task.
            try await Task.sleep(for: .seconds(3600))
            return request
        }
    }
}
