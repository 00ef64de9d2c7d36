import Foundation
import RocketRPC
import SwiftProtobuf
import Synchronization
import Testing

/// The unary cases of gRPC's interoperability list, by the same names.
@Suite struct InteropTests {
    typealias Client = InteropTestServiceClient
    let service = InteropService()

    func over(
        _ transport: Transport, _ body: (Client) async throws -> Void
    ) async throws {
        var configuration = RPCChannelConfiguration()
        configuration.timeout = .seconds(60)
        try await transport.withChannel(to: [service], configuration: configuration) {
            try await body(Client($0))
        }
    }

    let large = InteropSimpleRequest.with {
        $0.responseSize = 314_159
        $0.payload = Data(count: 271_828)
    }

    @Test(arguments: Transport.channels)
    func empty_unary(_ transport: Transport) async throws {
        try await over(transport) { client in
            let reply = try await client.emptyCall(InteropEmpty())
            let size = try reply.serializedData().count
            #expect(size == 0)
        }
    }

    @Test(arguments: Transport.channels)
    func large_unary(_ transport: Transport) async throws {
        try await over(transport) { client in
            let reply = try await client.unaryCall(large)
            #expect(reply.payload == Data(count: 314_159))
        }
    }

    @Test(arguments: Transport.channels)
    func custom_metadata(_ transport: Transport) async throws {
        try await over(transport) { client in
            let value = "test_initial_metadata_value"
            let call = RPCController(metadata: ["x-rocket-test-echo": value])
            _ = try await client.channel.call(InteropTestServiceMethods.unaryCall, large, call)
            #expect(call.replyMetadata["x-rocket-test-echo"] == value)
        }
    }

    /// What a call that asks for this status ends with.
    func error(_ client: Client, code: Int32, message: String) async -> RPCError? {
        await #expect(throws: RPCError.self) {
            try await client.unaryCall(
                .with {
                    $0.responseStatus = .with {
                        $0.code = code
                        $0.message = message
                    }
                })
        }
    }

    @Test(arguments: Transport.channels)
    func status_code_and_message(_ transport: Transport) async throws {
        try await over(transport) { client in
            let error = await error(client, code: 2, message: "test status message")
            #expect(error?.code.rawValue == 2)
            #expect(error?.message == "test status message")
        }
    }

    @Test(arguments: Transport.channels)
    func special_status_message(_ transport: Transport) async throws {
        try await over(transport) { client in
            let message =
                "\t\ntest with whitespace\r\nand Unicode BMP \u{263A} and non-BMP \u{1F608}\t\n"
            let error = await error(client, code: 2, message: message)
            #expect(error?.code.rawValue == 2)
            #expect(error?.message == message)
        }
    }

    func code(_ client: Client, _ service: String, _ name: String) async -> RPCErrorCode? {
        let method = RPCMethod<InteropEmpty, InteropEmpty>(service: service, name: name)
        return await #expect(throws: RPCError.self) {
            try await client.channel.call(method, InteropEmpty())
        }?.code
    }

    @Test(arguments: Transport.channels)
    func unimplemented_method(_ transport: Transport) async throws {
        try await over(transport) { client in
            let code = await code(client, "rocket.testing.TestService", "unimplementedCall")
            #expect(code == .methodNotFound)
        }
    }

    @Test(arguments: Transport.channels)
    func unimplemented_service(_ transport: Transport) async throws {
        try await over(transport) { client in
            let code = await code(
                client, "rocket.testing.UnimplementedService", "unimplementedCall")
            #expect(code == .serviceNotFound)
        }
    }

    @Test(arguments: Transport.channels)
    func cancel_after_begin(_ transport: Transport) async throws {
        try await over(transport) { client in
            let call = client.channel.start(
                InteropTestServiceMethods.sleepingCall, InteropSimpleRequest())
            await service.gate.arrived(1)
            call.cancel()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .cancelled)
            await service.gate.wait()
            #expect(service.gate.cancelled.withLock { $0 } == 1)
        }
    }

    @Test(arguments: Transport.channels)
    func timeout_on_sleeping_server(_ transport: Transport) async throws {
        try await over(transport) { client in
            let error = await #expect(throws: RPCError.self) {
                try await client.sleepingCall(InteropSimpleRequest(), timeout: .milliseconds(1))
            }
            #expect(error?.code == .callTimeout)
        }
    }

    /// 270 MB of requests at once on one connection: they wait for room on it.
    @Test(arguments: Transport.channels)
    func concurrent_large_unary(_ transport: Transport) async throws {
        var configuration = RPCChannelConfiguration()
        configuration.timeout = .seconds(600)
        try await transport.withChannel(to: [service], configuration: configuration) { channel in
            let client = Client(channel)
            let count = try await withThrowingTaskGroup { group in
                for _ in 0..<1000 {
                    group.addTask { try await client.unaryCall(large).payload.count }
                }
                return try await group.reduce(into: 0) { $0 += $1 == 314_159 ? 1 : 0 }
            }
            #expect(count == 1000)
            #expect(channel.statistics.connects == 1)
        }
    }

    @Test(arguments: Transport.channels)
    func rpc_soak(_ transport: Transport) async throws {
        try await over(transport) { client in
            for _ in 0..<1000 {
                let reply = try await client.unaryCall(.with { $0.responseSize = 100 })
                try #require(reply.payload.count == 100)
            }
            #expect(client.channel.state == .ready)
        }
    }

    /// A new channel for each call, to one server.
    @Test(arguments: Transport.channels)
    func channel_soak(_ transport: Transport) async throws {
        func soak(_ open: () throws -> RPCChannel) async throws {
            for _ in 0..<200 {
                let channel = try open()
                let reply = try await Client(channel).unaryCall(.with { $0.responseSize = 100 })
                try #require(reply.payload.count == 100)
                channel.close()
            }
        }
        if transport == .inProcess {
            let dispatcher = try RPCDispatcher(services: [service])
            try await soak { try RPCChannel(inProcess: dispatcher, configuration: .patient) }
        } else {
            try await withServer([service]) { address in
                try await soak { try RPCChannel(to: address, configuration: .patient) }
            }
        }
    }
}
