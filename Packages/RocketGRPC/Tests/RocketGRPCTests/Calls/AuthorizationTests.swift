import RocketBase
import RocketCodec
import RocketRPC
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketGRPC

@Suite("Policies and tokens over gRPC")
struct AuthorizationTests {
    /// Accepts the tokens `good-SUBJECT`.
    private struct Tokens: RPCAuthenticator {
        func authenticate(_ token: String, _ peer: RPCPeer) throws -> RPCToken {
            guard token.hasPrefix("good-") else {
                throw RPCError(.unauthenticated, "the key is unknown")
            }
            return RPCToken(subject: String(token.dropFirst(5)), claims: [:], expires: nil)
        }
    }

    private func code(
        _ call: () async throws -> Void
    ) async -> RPCErrorCode {
        do {
            try await call()
            return RPCErrorCode(rawValue: 0)
        } catch let error as RPCError { return error.code } catch { return .unknown }
    }

    @Test("A method that a policy denies is denied, unary or streamed, whoever serves it")
    func policy() async throws {
        let policy = try AuthorizationPolicy(
            "allow \(GRPCService.echo.fullName) to token:staff",
            "allow \(GRPCService.count.fullName) to token:staff",
            "allow grpc.health.v1.Health.Check to *")
        try await withGRPCServer(configure: {
            $0.authenticator = Tokens()
            $0.authorization = policy
            $0.reflection = true
        }) { _, address in
            let channel = try RPCChannel(to: address, configuration: grpcChannel())
            defer { channel.close() }
            func echo(_ token: String?) async -> RPCErrorCode {
                await code {
                    let metadata: RPCMetadata = token.map { ["authorization": $0] } ?? [:]
                    _ = try await channel.call(GRPCService.echo, Text("x"), metadata: metadata)
                }
            }
            func count(_ token: String) async -> RPCErrorCode {
                await code {
                    let responses = try await channel.serverStream(
                        GRPCService.count, Number(2), metadata: ["authorization": token])
                    for try await _ in responses {}
                }
            }
            #expect(await echo("Bearer good-staff") == RPCErrorCode(rawValue: 0))
            #expect(await echo("Bearer good-guest") == .permissionDenied)
            #expect(await echo("Bearer bad") == .unauthenticated)
            #expect(await echo(nil) == .unauthenticated)
            #expect(await count("Bearer good-staff") == RPCErrorCode(rawValue: 0))
            #expect(await count("Bearer good-guest") == .permissionDenied)
            let health = Grpc_Health_V1_HealthClient(channel)
            #expect(await code { _ = try await health.check(.init()) } == RPCErrorCode(rawValue: 0))
            let watch = await code { for try await _ in try await health.watch(.init()) {} }
            #expect(watch == .unauthenticated)
            let reflection = await code {
                let call = try await channel.stream(
                    RPCMethod<
                        Grpc_Reflection_V1_ServerReflectionRequest,
                        Grpc_Reflection_V1_ServerReflectionResponse
                    >(
                        service: GRPCReflectionAlpha.serviceName, name: "ServerReflectionInfo",
                        kind: .bidirectionalStreaming))
                for try await _ in call.responses {}
            }
            #expect(reflection == .unauthenticated)
        }
    }
}
