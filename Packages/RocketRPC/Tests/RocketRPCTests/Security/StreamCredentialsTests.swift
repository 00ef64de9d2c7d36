import RocketBase
import RocketCodec
import RocketRPC
import SwiftProtobuf
import Testing

@Suite("Credentials of a channel's streaming calls")
struct StreamCredentialsTests {
    /// Tells the caller which token its stream has.
    private struct Watch: RPCService {
        static var serviceName: String { "test.Watch" }
        static let watch = RPCMethod<Text, Text>(
            service: serviceName, name: "watch", kind: .serverStreaming)

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(serverStreaming: Self.watch) { _, responses, call in
                let token = call.peer?.token.map { "\($0)" } ?? "no token"
                try await responses.write(Text(token))
            }
        }
    }

    /// What the stream of a channel with a token receives.
    private func seen(
        token: String, metadata: RPCMetadata = [:]
    ) async throws -> [String] {
        var configuration = RPCChannelConfiguration.patient
        configuration.credentials = RPCCallCredentials(token: token)
        let channel = try RPCChannel(
            inProcess: RPCDispatcher(services: [Watch()], authenticator: TestAuthenticator()),
            configuration: configuration)
        defer { channel.close() }
        var texts: [String] = []
        for try await text in try await channel.serverStream(
            Watch.watch, Text(), metadata: metadata)
        {
            texts.append(text.value)
        }
        return texts
    }

    @Test("A stream takes the token of its channel along")
    func token() async throws {
        #expect(try await seen(token: "good-a") == ["token:a"])
    }

    @Test("A stream with an authorization of its own keeps it")
    func ownToken() async throws {
        let own: RPCMetadata = ["authorization": "Bearer good-own"]
        #expect(try await seen(token: "good-a", metadata: own) == ["token:own"])
    }

    @Test("A token that the server refuses, or that can't be sent, ends the stream")
    func refused() async throws {
        for token in ["bad", "not a token"] {
            let error = await #expect(throws: RPCError.self) { try await seen(token: token) }
            #expect(error?.code == .unauthenticated)
        }
    }
}
