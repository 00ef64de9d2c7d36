import RocketBase
import RocketCodec
import RocketRPC
import SwiftProtobuf

/// A service whose replies and errors have metadata of both kinds and details.
struct DetailService: RPCService {
    static var serviceName: String { "test.v1.Detail" }

    static let succeed = RPCMethod<Text, Text>(service: serviceName, name: "succeed")
    static let fail = RPCMethod<Text, Text>(service: serviceName, name: "fail")
    static let synchronous = RPCMethod<Text, Text>(service: serviceName, name: "synchronous")
    static let sized = RPCMethod<Number, Text>(service: serviceName, name: "sized")
    static let marked = RPCMethod<Text, Text>(service: serviceName, name: "marked")
    static let invalid = RPCMethod<Text, Text>(service: serviceName, name: "invalid")

    static let trailing: RPCMetadata = ["x-b": "2", "trailing-c": "3", "t-bin": "AAH+"]

    static func error() throws -> RPCError {
        RPCError(
            .notFound, "no order",
            details: [
                try RPCErrorDetail(Text("first")), try RPCErrorDetail(Number(7)),
                try RPCErrorDetail(Text("second")),
            ])
    }

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.succeed) { request, call in
            call.replyMetadata["x-a"] = "1"
            call.trailingMetadata = Self.trailing
            return request
        }
        try registry.add(Self.fail) { _, call in
            call.replyMetadata["x-a"] = "1"
            call.trailingMetadata = Self.trailing
            throw try Self.error()
        }
        try registry.add(
            Self.synchronous,
            synchronous: { request, call in
                call.trailingMetadata = Self.trailing
                if request.value == "fail" { throw try Self.error() }
                return request
            })
        // An error whose status has so many bytes.
        try registry.add(Self.sized) { request, _ in
            // In front of the value: two bytes of the code, and tag and length of two fields.
            let count = Int(request.value) - 2 - 3 - 3
            throw RPCError(
                .notFound, "",
                details: [RPCErrorDetail(typeURL: "", value: .init(repeating: 1, count: count))])
        }
        try registry.add(Self.marked) { request, call in
            call.replyMetadata["trailing-x"] = "1"
            return request
        }
        try registry.add(Self.invalid) { _, call in
            call.trailingMetadata["x y"] = "1"
            throw try Self.error()
        }
    }
}
