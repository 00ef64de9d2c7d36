import RocketBase
import RocketRPC
import SwiftProtobuf
import Testing

@Suite("A call as an object (RPCInterface)")
struct InterfaceTests {
    /// Sets the response, refuses or fails, as its request specifies.
    private struct Plain: RPCInterface {
        let request: Text
        var response = Text("untouched")
        let call: RPCController

        mutating func run() async throws {
            response.value = "begun"
            switch request.value {
            case "refuse": throw BusinessError(-3, "not today")
            case "fail": throw RPCError(.permissionDenied, "not you")
            default: response.value = "\(request.value) by \(call.method)"
            }
        }
    }

    /// Implements `setError`.
    private struct Telling: RPCInterface {
        let request: Text
        var response = Text()
        let call: RPCController

        mutating func run() async throws {
            response.value = "begun"
            throw BusinessError(-3, "not today")
        }

        mutating func setError(_ error: BusinessError) throws {
            guard request.value.isEmpty else { throw RPCError(.unavailable, request.value) }
            response.value += " \(error.code) \(error.info)"
        }
    }

    private struct Service: RPCService {
        static let serviceName = "test.Interfaces"
        static let plain = RPCMethod<Text, Text>(service: serviceName, name: "plain")
        static let telling = RPCMethod<Text, Text>(service: serviceName, name: "telling")

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.plain) { try await Plain(request: $0, call: $1).answer() }
            try registry.add(Self.telling) { try await Telling(request: $0, call: $1).answer() }
        }
    }

    private func channel() throws -> RPCChannel { try RPCChannel(inProcess: [Service()]) }

    @Test("The response contains what run() has set")
    func answers() async throws {
        let reply = try await channel().call(Service.plain, Text("asked"))
        #expect(reply.value == "asked by test.Interfaces.plain")
    }

    @Test("setError() adds to the response of run()")
    func refusalInResponse() async throws {
        let reply = try await channel().call(Service.telling, Text())
        #expect(reply.value == "begun -3 not today")
    }

    @Test("setError() can fail the call with an error")
    func errorFromSetError() async throws {
        let error = await #expect(throws: RPCError.self) {
            try await channel().call(Service.telling, Text("later"))
        }
        #expect(error?.code == .unavailable && error?.message == "later")
    }

    @Test("Without setError() the server answers the refusal")
    func refusalByServer() async throws {
        let error = await #expect(throws: RPCError.self) {
            try await channel().call(Service.plain, Text("refuse"))
        }
        #expect(error?.code.rawValue == -3 && error?.message == "not today")
    }

    @Test("Any other error bypasses setError()")
    func fails() async throws {
        let error = await #expect(throws: RPCError.self) {
            try await channel().call(Service.plain, Text("fail"))
        }
        #expect(error?.code == .permissionDenied)
    }
}
