import RocketRPC
import SwiftProtobuf

typealias Number = Google_Protobuf_Int64Value

/// Answers at once, or never in time.
struct CostService: RPCService {
    static let serviceName = "cost.Cost"
    /// As generated code has it: messages are coded in place.
    static let echo = RPCMethod<Number, Number>(
        service: serviceName, name: "echo",
        request: .init(
            decode: { try $0.decodeMessage(decoder: &$1) },
            encode: { try $0.traverse(visitor: &$1) }),
        response: .init(
            decode: { try $0.decodeMessage(decoder: &$1) },
            encode: { try $0.traverse(visitor: &$1) }))
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
