import RocketBase
import RocketCodec
import RocketGRPC
import RocketRPC
import RocketSystem
import SwiftProtobuf
import Testing

/// The metadata of gRFC A6.
@Suite("Attempts of a call over gRPC")
struct AttemptTests {
    /// Refuses the first calls without having begun them, and records what they say.
    private struct Refusing: RPCService {
        static var serviceName: String { "test.v1.Refusing" }
        static let call = RPCMethod<Text, Text>(service: serviceName, name: "call")
        static let stream = RPCMethod<Text, Text>(
            service: serviceName, name: "stream", kind: .serverStreaming)

        let seen = Seen()

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.call) { request, call in
                try seen.add(call)
                return request
            }
            try registry.add(serverStreaming: Self.stream) { request, responses, call in
                try seen.add(call)
                try await responses.write(request)
            }
        }
    }

    private final class Seen: Sendable {
        private let values = Locked<[String?]>([])

        func add(_ call: RPCController) throws {
            let count = values.withLock {
                $0.append(call.requestMetadata["grpc-previous-rpc-attempts"])
                return $0.count
            }
            if count % 3 != 0 { throw RPCError(.unavailable, "not yet") }
        }

        func take() -> [String?] {
            values.withLock { values in
                defer { values = [] }
                return values
            }
        }
    }

    @Test("A call that is sent again says how often it was sent before, unary and streamed")
    func attempts() async throws {
        let service = Refusing()
        try await withGRPC([service]) { channel in
            for _ in 0..<2 {
                _ = try await channel.call(Refusing.call, Text("x"), metadata: ["x-a": "1"])
                #expect(service.seen.take() == [nil, "1", "2"])
            }
            let responses = try await channel.serverStream(Refusing.stream, Text("y"))
            for try await response in responses { #expect(response == Text("y")) }
            #expect(service.seen.take() == [nil, "1", "2"])
        }
    }
}
