import RocketBase
import RocketCodec
import RocketRPC
import SwiftProtobuf

/// Synchronous methods.
struct SynchronousService: RPCService {
    static var serviceName: String { "test.v1.Synchronous" }

    static let echo = RPCMethod<Text, Text>(service: serviceName, name: "echo")
    static let echoBytes = RPCMethod<Bytes, Bytes>(service: serviceName, name: "echoBytes")
    static let fail = RPCMethod<Text, Text>(service: serviceName, name: "fail")
    static let describe = RPCMethod<Text, Text>(service: serviceName, name: "describe")

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.echo, synchronous: { request, _ in request })
        try registry.add(Self.echoBytes, synchronous: { request, _ in request })
        try registry.add(
            Self.fail,
            synchronous: { request, _ in
                if request.value == "rpc" { throw RPCError(.permissionDenied, "not you") }
                throw TestService.Plain()
            })
        try registry.add(
            Self.describe,
            synchronous: { _, call in
                call.replyMetadata["x-seen"] = call.requestMetadata["x-sent"]
                let current = RPCController.current == call
                return Text("\(call.method) \(call.messageID) \(current)")
            })
    }
}
