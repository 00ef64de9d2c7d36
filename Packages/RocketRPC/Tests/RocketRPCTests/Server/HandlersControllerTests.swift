import RocketCodec
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@_spi(Transport) @testable import RocketRPC

/// The state of a handler's controller after its call has ended.
@Suite("A handler's controller")
struct HandlersControllerTests {
    /// Keeps the controllers of its calls.
    struct Keeping: RPCService {
        static let serviceName = "test.Keeping"

        final class Kept: Sendable {
            let calls = Locked<[RPCController]>([])
            /// The methods of the calls, as read while a response was encoded.
            let methods = Locked<[String]>([])
        }

        let gate = Gate()
        let kept = Kept()

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "keep")) {
                request, call in
                kept.calls.withLock { $0.append(call) }
                await gate.wait()
                return request
            }
        }
    }

    enum End: CaseIterable { case answer, deadline, cancellation, connection }

    @Test(
        "A call's controller is finished, and cancelled unless the call was answered",
        arguments: End.allCases)
    func controllerState(end: End) throws {
        let kit = FrameKit()
        try DrivenServer.with { _ in
            Keeping()
        } _: { server, service in
            server.caller.send(
                try kit.frame(id: "7", "test.Keeping.keep", info: "rkm1\ntimeout-ms=100\n"))
            server.loop.tickUntilIdle()
            let call = try #require(service.kept.calls.withLock { $0.first })
            #expect(!call.isFinished && !call.isCancelled)
            switch end {
            case .answer: service.gate.open()
            case .deadline: server.loop.tick(after: .milliseconds(100))
            case .cancellation: server.caller.send(try kit.frame(id: "7", "rocket.cancel"))
            case .connection: server.caller.link?.close(.reset, reason: .requested)
            }
            server.loop.tickUntilIdle()
            #expect(call.isFinished && call.isCancelled == (end != .answer))
            service.gate.open()
        }
    }

    /// Uses its calls while a response is encoded.
    struct Encoding: RPCService {
        static let serviceName = "test.Encoding"
        let kept = Keeping.Kept()

        func register(in registry: inout RPCServiceRegistry) throws {
            let method = RPCMethod<Text, Text>(
                service: Self.serviceName, name: "echo",
                response: .init(
                    decode: { try $0.decodeMessage(decoder: &$1) },
                    encode: { message, writer in
                        let methods = kept.calls.withLock { $0.map(\.method) }
                        kept.methods.withLock { $0 += methods }
                        try message.traverse(visitor: &writer)
                    }))
            try registry.add(method) { request, call in
                kept.calls.withLock { $0.append(call) }
                if request.value == "metadata" { call.replyMetadata["x-a"] = "b" }
                return request
            }
        }
    }

    @Test("The coding of a response may use the call", arguments: ["plain", "metadata"])
    func usesTheCallWhileEncoding(kind: String) async throws {
        let service = Encoding()
        let dispatcher = try RPCDispatcher(services: [service])
        let request: [UInt8] = try Text(kind).serializedBytes()
        let reply = await dispatcher.answer(
            try FrameKit().frame(id: "7", "test.Encoding.echo", payload: request))
        #expect(try FrameKit().parse(reply).payload == request)
        // The handler has returned: the call of a plain reply is finished.
        #expect(
            service.kept.methods.withLock { $0 }
                == (kind == "plain" ? [""] : ["test.Encoding.echo"]))
    }
}
