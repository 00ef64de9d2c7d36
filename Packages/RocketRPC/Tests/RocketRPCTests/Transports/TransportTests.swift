import Foundation
import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem
import SwiftProtobuf
import Testing

/// The same tests over every transport.
@Suite("Transports")
struct TransportTests {
    let service = TestService()

    func over(
        _ transport: TransportKind, _ body: (any Caller) async throws -> Void
    ) async throws {
        try await transport.with([service, SynchronousService()], body)
    }

    func failure(
        _ caller: any Caller, _ method: RPCMethod<Text, Text>, _ text: String
    ) async -> RPCError? {
        do {
            _ = try await caller.call(method, Text(text), metadata: [:])
            return nil
        } catch {
            return error as? RPCError
        }
    }

    @Test("Requests are answered", arguments: TransportKind.allCases)
    func requests(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            for method in [TestService.echo, SynchronousService.echo] {
                for text in ["", "hello"] {
                    let reply = try await caller.call(method, Text(text), metadata: [:])
                    #expect(reply.value == text)
                }
            }
            let large = Bytes(Data((0..<500_000).map { UInt8(truncatingIfNeeded: $0 / 3) }))
            for method in [TestService.echoBytes, SynchronousService.echoBytes] {
                #expect(try await caller.call(method, large, metadata: [:]) == large)
            }
        }
    }

    @Test("Overlapping calls receive their own replies", arguments: TransportKind.allCases)
    func overlappingCalls(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            let replies = try await withThrowingTaskGroup { group in
                for number in 0..<100 {
                    group.addTask {
                        (
                            Int64(number),
                            try await caller.call(
                                TestService.hold, Number(Int64(number)), metadata: [:]
                            ).value
                        )
                    }
                }
                await service.gate.arrived(100)
                service.gate.open()
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(replies.count == 100)
            #expect(replies.allSatisfy { $0.key == $0.value })
        }
    }

    @Test("Errors keep their codes and reveal no detail", arguments: TransportKind.allCases)
    func errorCodes(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            let own = await failure(caller, TestService.fail, "rpc")
            #expect(own?.code == .permissionDenied)
            #expect(own?.message == "not you")
            let business = await failure(caller, TestService.fail, "business")
            #expect(business?.code.rawValue == -7)
            let other = await failure(caller, TestService.fail, "other")
            #expect(other?.code == .internal)
            #expect(other?.message == "the handler failed")
            // A caller can't distinguish an error with code 0 from a response.
            for zero in ["zero", "business zero"] {
                #expect(await failure(caller, TestService.fail, zero)?.code == .internal)
            }
            let synchronous = await failure(caller, SynchronousService.fail, "rpc")
            #expect(synchronous?.code == .permissionDenied)
        }
    }

    @Test("Unknown names are answered with an error", arguments: TransportKind.allCases)
    func unknownNames(_ transport: TransportKind) async throws {
        try await over(transport) { caller in
            for (service, name, code) in [
                ("nobody", "echo", RPCErrorCode.serviceNotFound),
                ("test.v1.Test", "nothing", .methodNotFound),
                ("", "echo", .parseServiceName),
            ] {
                let method = RPCMethod<Text, Text>(service: service, name: name)
                #expect(await failure(caller, method, "")?.code == code)
            }
            #expect(await failure(caller, TestService.echo, "on") == nil)
        }
    }

    @Test("Metadata is transferred with requests and replies", arguments: TransportKind.allCases)
    func metadataTransfer(_ transport: TransportKind) async throws {
        let seen = Locked<[String?]>([])
        struct Reader: RPCService {
            static var serviceName: String { "test.v1.Reader" }
            let read: @Sendable (String?) -> Void
            func register(in registry: inout RPCServiceRegistry) throws {
                try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "read")) {
                    request, call in
                    read(call.requestMetadata["x-sent"])
                    return request
                }
            }
        }
        let reader = Reader { value in seen.withLock { $0.append(value) } }
        try await transport.with([reader]) { caller in
            let method = RPCMethod<Text, Text>(service: Reader.serviceName, name: "read")
            _ = try await caller.call(method, Text(), metadata: ["x-sent": "grüße = %\n"])
        }
        #expect(seen.withLock { $0 } == ["grüße = %\n"])
    }

    // MARK: Transports with event loops

    @Test("Cancelling a call cancels its handler", arguments: TransportKind.channels)
    func callerCancellation(_ transport: TransportKind) async throws {
        try await transport.withChannel(to: [service]) { channel in
            let call = channel.start(TestService.never, Text(), timeout: .seconds(3600))
            await service.gate.arrived(1)
            call.cancel()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .cancelled)
            await service.gate.wait()
            #expect(service.gate.cancelled.withLock { $0 } == 1)
            let next = try await channel.call(TestService.echo, Text("on"))
            #expect(next.value == "on")
        }
    }

    @Test("A deadline ends the call and cancels its handler", arguments: TransportKind.channels)
    func deadlineExpiry(_ transport: TransportKind) async throws {
        try await transport.withChannel(to: [service]) { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(TestService.never, Text(), timeout: .milliseconds(100))
            }
            #expect(error?.code == .callTimeout)
            // Once this call is answered, the other call's handler has begun or will never begin:
            // on a busy machine its deadline may pass before.
            _ = try await channel.call(TestService.echo, Text(), timeout: .seconds(600))
            if service.gate.arrivalCount > 0 {
                await service.gate.wait()
                #expect(service.gate.cancelled.withLock { $0 } == 1)
            }
        }
    }

    @Test("Closing a channel cancels the handlers of its calls", arguments: TransportKind.channels)
    func channelClose(_ transport: TransportKind) async throws {
        try await transport.withChannel(to: [service]) { channel in
            let call = channel.start(TestService.never, Text(), timeout: .seconds(3600))
            await service.gate.arrived(1)
            channel.close()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .channelInit)
            await service.gate.wait()
            #expect(service.gate.cancelled.withLock { $0 } == 1)
        }
    }
}
