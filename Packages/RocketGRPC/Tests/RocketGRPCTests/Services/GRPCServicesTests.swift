import RocketBase
import RocketRPC
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketGRPC

/// The services that gRPC's clients expect of a server.
@Suite("Health and reflection of gRPC")
struct GRPCServicesTests {
    typealias Status = Grpc_Health_V1_HealthCheckResponse.ServingStatus
    typealias Answer = Grpc_Reflection_V1_ServerReflectionResponse.OneOf_MessageResponse

    @Test("A health check returns the status of a service, or NOT_FOUND")
    func check() async throws {
        try await withGRPCServer { server, address in
            let channel = try RPCChannel(to: address, configuration: grpcChannel())
            defer { channel.close() }
            let client = Grpc_Health_V1_HealthClient(channel)
            func status(_ service: String) async throws -> Status {
                try await client.check(.with { $0.service = service }).status
            }
            #expect(try await status("") == .serving)
            #expect(try await status(GRPCService.serviceName) == .serving)
            server.health.set(.notServing, for: GRPCService.serviceName)
            #expect(try await status(GRPCService.serviceName) == .notServing)
            let error = await #expect(throws: RPCError.self) { _ = try await status("nobody") }
            #expect(error?.code == .notFound)
        }
    }

    @Test("A watch sends each status, and ends when the server drains")
    func watch() async throws {
        try await withGRPCServer { server, address in
            let channel = try RPCChannel(to: address, configuration: grpcChannel())
            defer { channel.close() }
            let statuses = try await Grpc_Health_V1_HealthClient(channel).watch(
                .with { $0.service = "later" })
            var iterator = statuses.makeAsyncIterator()
            #expect(try await iterator.next()?.status == .serviceUnknown)
            server.health.set(.serving, for: "later")
            #expect(try await iterator.next()?.status == .serving)
            server.health.set(.notServing, for: "later")
            #expect(try await iterator.next()?.status == .notServing)
            server.health.set(.serving, for: "later")
            #expect(try await iterator.next()?.status == .serving)
            server.beginDrain()
            #expect(try await iterator.next()?.status == .notServing)
            let end = await #expect(throws: RPCError.self) { _ = try await iterator.next() }
            #expect(end?.code == .failedGetReply || end?.code == .unavailable)
        }
    }

    @Test("Reflection lists services and their files", arguments: ["v1", "v1alpha"])
    func reflection(_ version: String) async throws {
        try await withGRPCServer(configure: { $0.reflection = true }) { _, address in
            let channel = try RPCChannel(to: address, configuration: grpcChannel())
            defer { channel.close() }
            let method = RPCMethod<
                Grpc_Reflection_V1_ServerReflectionRequest,
                Grpc_Reflection_V1_ServerReflectionResponse
            >(
                service: "grpc.reflection.\(version).ServerReflection",
                name: "ServerReflectionInfo", kind: .bidirectionalStreaming)
            let call = try await channel.stream(method)
            var iterator = call.responses.makeAsyncIterator()
            func send(
                _ request: Grpc_Reflection_V1_ServerReflectionRequest.OneOf_MessageRequest?
            ) async throws -> Answer? {
                try await call.requests.write(.with { $0.messageRequest = request })
                return try await iterator.next()?.messageResponse
            }
            guard case .listServicesResponse(let list) = try await send(.listServices("")) else {
                Issue.record("no list of services")
                return
            }
            let names = list.service.map(\.name)
            #expect(names == names.sorted() && names.contains("grpc.health.v1.Health"))
            #expect(names.contains(GRPCService.serviceName))
            for request: Grpc_Reflection_V1_ServerReflectionRequest.OneOf_MessageRequest in [
                .fileContainingSymbol("grpc.health.v1.Health"),
                .fileContainingSymbol("grpc.health.v1.Health.Check"),
                .fileContainingSymbol("grpc.health.v1.HealthCheckResponse.ServingStatus"),
                .fileByFilename("grpc/health/v1/health.proto"),
            ] {
                guard case .fileDescriptorResponse(let found) = try await send(request) else {
                    Issue.record("no file for \(request)")
                    continue
                }
                let files = try found.fileDescriptorProto.map {
                    try Google_Protobuf_FileDescriptorProto(serializedBytes: $0)
                }
                #expect(files.map(\.name) == ["grpc/health/v1/health.proto"])
            }
            for request: Grpc_Reflection_V1_ServerReflectionRequest.OneOf_MessageRequest? in [
                .fileContainingSymbol("grpc.health.v1.Nothing"), .fileContainingSymbol(""),
                .fileByFilename("nothing.proto"), .allExtensionNumbersOfType("nothing"),
                .fileContainingExtension(.with { $0.containingType = "nothing" }),
            ] {
                guard case .errorResponse(let error) = try await send(request) else {
                    Issue.record("no error for \(String(describing: request))")
                    continue
                }
                #expect(error.errorCode == 5)
            }
            guard case .errorResponse(let error) = try await send(nil) else {
                Issue.record("no error for an empty request")
                return
            }
            #expect(error.errorCode == 3)
            guard
                case .allExtensionNumbersResponse(let numbers) = try await send(
                    .allExtensionNumbersOfType("grpc.health.v1.HealthCheckRequest"))
            else {
                Issue.record("no extension numbers")
                return
            }
            #expect(numbers.extensionNumber.isEmpty)
            call.finishRequests()
            #expect(try await iterator.next() == nil)
        }
    }

    /// An application's own service of that name.
    private struct OwnHealth: RPCService {
        static var serviceName: String { "grpc.health.v1.Health" }

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Grpc_Health_V1_HealthMethods.check) { _, _ in
                .with { $0.status = .unknown }
            }
        }
    }

    @Test("An application's own service takes the place of one of gRPC's")
    func own() async throws {
        try await withGRPC([OwnHealth()]) { channel in
            let status = try await Grpc_Health_V1_HealthClient(channel).check(.init()).status
            #expect(status == .unknown)
        }
    }

    @Test("A server without health and reflection has none of gRPC's either")
    func off() async throws {
        try await withGRPC(configure: { $0.health = false }) { channel in
            let error = await #expect(throws: RPCError.self) {
                _ = try await Grpc_Health_V1_HealthClient(channel).check(.init())
            }
            #expect(error?.code.grpcStatus == 12)
        }
    }
}
