import RocketBase
import RocketCodec
import RocketRPC
import SwiftProtobuf
import Testing

@Suite("Dispatcher")
struct DispatcherTests {
    let kit = FrameKit()

    @Test("Frames are answered in order, without a transport")
    func frameOrder() async throws {
        let dispatcher = try RPCDispatcher(services: [TestService(), SynchronousService()])
        let frames =
            try kit.frame(id: "1", payload: kit.text("a"))
            + kit.frame(id: "2", "test.v1.Synchronous.echo", payload: kit.text("b"))
            + kit.frame(id: "3", "nobody.echo")
            + kit.frame(id: "4", "test.v1.Test.fail", payload: kit.text("rpc"))
        let answers = try kit.parseAll(await dispatcher.answer(frames))
        #expect(answers.map(\.id) == ["1", "2", "3", "4"])
        #expect(
            answers.map(\.code.rawValue) == [
                0, 0, RPCErrorCode.serviceNotFound.rawValue,
                RPCErrorCode.permissionDenied.rawValue,
            ])
        #expect(answers[0].payload == (try kit.text("a")))
        #expect(answers[1].payload == (try kit.text("b")))
        #expect(dispatcher.statistics.refusedCalls == 1)
    }

    @Test("A handler may suspend on the task that calls answer()")
    func suspendedHandler() async throws {
        let service = TestService()
        let dispatcher = try RPCDispatcher(services: [service])
        let frame = try kit.frame("test.v1.Test.hold", payload: Number(4).serializedBytes())
        async let bytes = dispatcher.answer(frame)
        await service.gate.arrived(1)
        service.gate.open()
        let answer = try kit.parse(await bytes)
        #expect(try Number(serializedBytes: answer.payload).value == 4)
    }

    @Test("An incomplete frame is ignored, and an invalid frame ends the stream")
    func invalidInput() async throws {
        let dispatcher = try RPCDispatcher(services: [TestService()])
        let whole = try kit.frame()
        let cut = await dispatcher.answer(whole + whole.dropLast())
        #expect(try kit.parseAll(cut).count == 1)
        let broken = await dispatcher.answer(whole + [7] + whole)
        #expect(try kit.parseAll(broken).count == 1)
        #expect(dispatcher.statistics.brokenStreams == 1)
    }

    @Test("Reply metadata over the limit fails the call")
    func longReplyMetadata() async throws {
        let dispatcher = try RPCDispatcher(services: [TestService()])
        let frame = try kit.frame("test.v1.Test.chatty")
        let answer = try kit.parse(await dispatcher.answer(frame))
        #expect(answer.code == .resourceExhausted)
        #expect(answer.info.hasPrefix("the reply's metadata takes"))
    }

    @Test("Services are listed, and limits on unknown methods are refused")
    func serviceNames() throws {
        let dispatcher = try RPCDispatcher(services: [TestService(), SynchronousService()])
        #expect(dispatcher.serviceNames == ["test.v1.Synchronous", "test.v1.Test"])
        var limits = RPCCallLimits()
        limits.methods["test.v1.Test.ecko"] = RPCMethodLimits(maxRequestBytes: 1)
        let error = #expect(throws: RPCRegistrationError.self) {
            try RPCDispatcher(services: [TestService()], limits: limits)
        }
        #expect(error?.description.contains("'test.v1.Test.ecko'") == true)
    }

    @Test("A method can't have the name of the cancellation frame")
    func reservedMethodName() {
        struct Rocket: RPCService {
            static var serviceName: String { "rocket" }
            func register(in registry: inout RPCServiceRegistry) throws {
                try registry.add(
                    RPCMethod<Text, Text>(service: "rocket", name: "cancel"),
                    synchronous: { request, _ in request })
            }
        }
        #expect(throws: RPCRegistrationError.self) { try RPCDispatcher(services: [Rocket()]) }
    }

    /// err_info contains metadata only if err_code is 0.
    @Test("Error text in a request is not parsed as metadata")
    func errorTextInRequest() async throws {
        let dispatcher = try RPCDispatcher(services: [TestService()])
        let overdue = "rkm1\ntimeout-ms=0\nx-sent=1\n"
        let refused = try kit.frame("test.v1.Test.describe", info: overdue)
        #expect(try kit.parse(await dispatcher.answer(refused)).code == .callTimeout)
        let served = try kit.frame("test.v1.Test.describe", code: 5, info: overdue)
        let answer = try kit.parse(await dispatcher.answer(served))
        #expect(answer.code.rawValue == 0 && answer.info.isEmpty)
    }
}
