import Foundation
import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem
import SwiftProtobuf
import Synchronization
import Testing

/// The unary cases of gRPC's interoperability list, by the same names, over every transport.
@Suite("gRPC interoperability cases")
struct InteropTests {
    typealias Methods = InteropTestServiceMethods
    let service = InteropService()

    func over(
        _ transport: TransportKind, _ body: (any Caller) async throws -> Void
    ) async throws {
        try await transport.with([service], body)
    }

    let large = InteropSimpleRequest.with {
        $0.responseSize = 314_159
        $0.payload = Data(count: 271_828)
    }
    let small = InteropSimpleRequest.with { $0.responseSize = 100 }

    @Test(
        "empty_unary: an empty request receives an empty response",
        arguments: TransportKind.allCases)
    func empty_unary(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            let reply = try await caller.call(Methods.emptyCall, InteropEmpty())
            let size = try reply.serializedData().count
            #expect(size == 0)
        }
    }

    @Test(
        "large_unary: a large request receives a large response",
        arguments: TransportKind.allCases)
    func large_unary(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            let reply = try await caller.call(Methods.unaryCall, large)
            #expect(reply.payload == Data(count: 314_159))
        }
    }

    @Test(
        "custom_metadata: metadata is returned with the response",
        arguments: TransportKind.allCases)
    func custom_metadata(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            let sent: RPCMetadata = ["x-rocket-test-echo": "test_initial_metadata_value"]
            let (_, received) = try await caller.exchange(
                Methods.unaryCall, large, metadata: sent)
            #expect(received["x-rocket-test-echo"] == sent["x-rocket-test-echo"])
        }
    }

    /// The error of a call whose request selects this status.
    func error(_ caller: any Caller, code: Int32, message: String) async -> RPCError? {
        await #expect(throws: RPCError.self) {
            try await caller.call(
                Methods.unaryCall,
                .with {
                    $0.responseStatus = .with {
                        $0.code = code
                        $0.message = message
                    }
                })
        }
    }

    @Test(
        "status_code_and_message: an error keeps its code and message",
        arguments: TransportKind.allCases)
    func status_code_and_message(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            let error = await error(caller, code: 2, message: "test status message")
            #expect(error?.code.rawValue == 2)
            #expect(error?.message == "test status message")
        }
    }

    @Test(
        "special_status_message: a message keeps white space and non-ASCII characters",
        arguments: TransportKind.allCases)
    func special_status_message(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            let message =
                "\t\ntest with whitespace\r\nand Unicode BMP \u{263A} and non-BMP \u{1F608}\t\n"
            let error = await error(caller, code: 2, message: message)
            #expect(error?.code.rawValue == 2)
            #expect(error?.message == message)
        }
    }

    func code(_ caller: any Caller, _ service: String, _ name: String) async -> RPCErrorCode? {
        let method = RPCMethod<InteropEmpty, InteropEmpty>(service: service, name: name)
        return await #expect(throws: RPCError.self) {
            try await caller.call(method, InteropEmpty())
        }?.code
    }

    @Test(
        "unimplemented_method: it fails with ERROR_METHOD_NOT_FOUND",
        arguments: TransportKind.allCases)
    func unimplemented_method(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            let code = await code(caller, "rocket.testing.TestService", "unimplementedCall")
            #expect(code == .methodNotFound)
        }
    }

    @Test(
        "unimplemented_service: it fails with ERROR_SERVICE_NOT_FOUND",
        arguments: TransportKind.allCases)
    func unimplemented_service(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            let code = await code(
                caller, "rocket.testing.UnimplementedService", "unimplementedCall")
            #expect(code == .serviceNotFound)
        }
    }

    /// 1,000 at once. A channel has one connection, on which 270 MB of requests are queued.
    @Test(
        "concurrent_large_unary: 1,000 large calls at once all succeed",
        arguments: TransportKind.allCases)
    func concurrent_large_unary(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            let count = try await withThrowingTaskGroup { group in
                for _ in 0..<1000 {
                    group.addTask { try await caller.call(Methods.unaryCall, large).payload.count }
                }
                return try await group.reduce(into: 0) { $0 += $1 == 314_159 ? 1 : 0 }
            }
            #expect(count == 1000)
            let statistics = (caller as? ChannelCaller)?.channel.statistics
            #expect(statistics == nil || statistics?.connects == 1)
        }
    }

    @Test(
        "rpc_soak: consecutive calls on one channel all succeed",
        arguments: TransportKind.allCases)
    func rpc_soak(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            for _ in 0..<1000 {
                let reply = try await caller.call(Methods.unaryCall, small)
                try #require(reply.payload.count == 100)
            }
            let statistics = (caller as? ChannelCaller)?.channel.statistics
            #expect(statistics == nil || statistics?.connects == 1)
        }
    }

    // MARK: Channels only

    typealias Client = InteropTestServiceClient

    @Test(
        "cancel_after_begin: a cancelled call fails with CANCELLED",
        arguments: TransportKind.channels)
    func cancel_after_begin(_ transport: TransportKind) async throws {
        try await transport.withChannel(to: [service], configuration: .patient) { channel in
            let call = channel.start(Methods.sleepingCall, InteropSimpleRequest())
            await service.gate.arrived(1)
            call.cancel()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .cancelled)
            await service.gate.wait()
            #expect(service.gate.cancelled.withLock { $0 } == 1)
        }
    }

    @Test(
        "timeout_on_sleeping_server: the deadline ends the call",
        arguments: TransportKind.channels)
    func timeout_on_sleeping_server(_ transport: TransportKind) async throws {
        try await transport.withChannel(to: [service]) { channel in
            let error = await #expect(throws: RPCError.self) {
                try await Client(channel).sleepingCall(
                    InteropSimpleRequest(), timeout: .milliseconds(1))
            }
            #expect(error?.code == .callTimeout)
        }
    }

    /// A new channel for each call, to one server.
    @Test(
        "channel_soak: calls on a new channel each all succeed",
        arguments: TransportKind.channels)
    func channel_soak(_ transport: TransportKind) async throws {
        func soak(_ open: () throws -> RPCChannel) async throws {
            for _ in 0..<200 {
                let channel = try open()
                let reply = try await Client(channel).unaryCall(small)
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
