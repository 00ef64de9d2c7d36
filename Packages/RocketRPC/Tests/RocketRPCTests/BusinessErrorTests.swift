import RocketBase
import RocketRPC
import SwiftProtobuf
import Testing

/// Replies to a refusal, with codings like those of generated code.
@Suite("Business errors")
struct BusinessErrorTests {
    private struct Service: RPCService {
        static let serviceName = "test.Refusals"
        static let stored = RPCMethod<Text, Text>(
            service: serviceName, name: "stored",
            response: .init(
                decode: { try $0.decodeMessage(decoder: &$1) },
                encode: { try $0.traverse(visitor: &$1) },
                setError: { $0.value = "\($1.code) \($1.info)" }))
        static let incomplete = RPCMethod<Text, Kinds2_Whole>(
            service: serviceName, name: "incomplete",
            response: .init(
                decode: { try $0.decodeMessage(decoder: &$1) },
                encode: { try $0.traverse(visitor: &$1) }, setError: { $0.name = $1.info }))
        static let plain = RPCMethod<Text, Text>(service: serviceName, name: "plain")

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.stored) { request, _ in
                if request.value == "later" { await Task.yield() }
                throw BusinessError(0, "none left")
            }
            try registry.add(Self.incomplete) { _, _ in throw BusinessError(-4, "none left") }
            try registry.add(Self.plain) { _, _ in throw BusinessError(-4, "none left") }
        }
    }

    private let channel: RPCChannel

    init() throws { channel = try RPCChannel(inProcess: [Service()]) }

    @Test("The method's coding stores the error in the response", arguments: ["now", "later"])
    func storesTheError(when: String) async throws {
        let reply = try await channel.call(Service.stored, Text(when))
        #expect(reply.value == "0 none left")
    }

    @Test("The call fails if the response lacks other required fields")
    func failsForRequiredFields() async throws {
        let error = await #expect(throws: RPCError.self) {
            try await channel.call(Service.incomplete, Text())
        }
        #expect(error?.code.rawValue == -4 && error?.message == "none left")
    }

    @Test("The call fails if the method has no generated coding")
    func failsWithoutCoding() async throws {
        let error = await #expect(throws: RPCError.self) {
            try await channel.call(Service.plain, Text())
        }
        #expect(error?.code.rawValue == -4 && error?.message == "none left")
    }
}
