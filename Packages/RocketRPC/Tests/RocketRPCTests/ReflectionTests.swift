import RocketBase
@testable import RocketRPC
import SwiftProtobuf
import Testing

@Suite("Reflection service")
struct ReflectionTests {
    func describe(_ channel: RPCChannel, _ symbol: String) async throws -> [String] {
        let client = RPCReflectionClient(channel)
        let files = try await client.describe(.with { $0.symbol = symbol }).files
        return try files.map { try Google_Protobuf_FileDescriptorProto(serializedBytes: $0).name }
    }

    @Test("Lists the registered services and methods")
    func listing() async throws {
        try await withChannel([SynchronousService()]) {
            $0.reflection = true
        } _: { channel in
            let services = try await RPCReflectionClient(channel).listServices(.init()).services
            #expect(
                services.map(\.name)
                    == ["rocket.Health", "rocket.Reflection", "test.v1.Synchronous"])
            let methods = try #require(services.last).methods
            #expect(methods.map(\.name) == ["describe", "echo", "echoBytes", "fail"])
            #expect(methods[0].request == "google.protobuf.StringValue")
            #expect(services[0].methods[1].response == "rocket.HealthCheckResponse")
        }
    }

    @Test("A symbol's files include all files that it imports")
    func filesOfSymbol() async throws {
        try await withChannel {
            $0.reflection = true
        } _: { channel in
            let health = ["rocket/health.proto"]
            for symbol in [
                "rocket.Health", "rocket.Health.check", "rocket.HealthCheckResponse",
                "rocket.HealthCheckResponse.Status",
            ] {
                let files = try await describe(channel, symbol)
                #expect(files == health, "\(symbol)")
            }
            let all = try await describe(channel, "")
            #expect(all == health + ["rocket/reflection.proto"])
            for symbol in ["rocket", "rocket.Health.nothing", "Health", "rocket.HealthCheck"] {
                let error = await #expect(throws: RPCError.self) {
                    try await describe(channel, symbol)
                }
                #expect(error?.code == .serviceNotFound)
            }
        }
    }

    @Test("Reflection is off by default")
    func offByDefault() async throws {
        try await withChannel { channel in
            let error = await #expect(throws: RPCError.self) {
                try await RPCReflectionClient(channel).listServices(.init())
            }
            #expect(error?.code == .serviceNotFound)
        }
    }
}
