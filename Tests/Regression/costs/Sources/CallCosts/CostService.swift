import RocketRPC
import SwiftProtobuf

typealias Number = Google_Protobuf_Int64Value

/// Replies at once (`echo`), or not within any deadline (`never`).
struct CostService: RPCService {
    static let serviceName = "cost.Cost"
    /// Like generated code: messages are coded in place.
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
            // Ends when the deadline of the call cancels this task.
            try await Task.sleep(for: .seconds(3600))
            return request
        }
    }
}
