import RocketRPC
import SwiftProtobuf
import Synchronization
import Testing

@Suite struct SynchronousTests {
    let kit = FrameKit()

    @Test func synchronousAndAsynchronousMethodsShareAConnection() async throws {
        let service = TestService()
        try await withServer([service, SynchronousService()]) { address in
            let client = try RawClient(address)
            let held = Number(1)
            client.send(
                try kit.frame(id: "held", "test.v1.Test.hold", payload: held.serializedBytes())
                    + kit.frame(id: "1", "test.v1.Synchronous.echo", payload: kit.text("a"))
                    + kit.frame(id: "2", payload: kit.text("b"))
                    + kit.frame(id: "3", "test.v1.Synchronous.echo", payload: kit.text("c")))
            for (id, text) in [("1", "a"), ("2", "b"), ("3", "c")] {
                let answer = try kit.parse(client.receiveFrame())
                #expect(answer.id == id)
                #expect(answer.payload == (try kit.text(text)))
            }
            service.gate.open()
            #expect(try kit.parse(client.receiveFrame()).id == "held")
        }
    }

    @Test func aFrameInPiecesAndAThousandAtOnceAreAnswered() async throws {
        try await withServer([SynchronousService()]) { address in
            let client = try RawClient(address)
            let frame = try kit.frame("test.v1.Synchronous.echo", payload: kit.text("slow"))
            for byte in frame { client.send([byte]) }
            #expect(try kit.parse(client.receiveFrame()).payload == (try kit.text("slow")))
            client.send((0..<1000).flatMap { _ in frame } + [7])
            for _ in 0..<1000 { #expect(try kit.parse(client.receiveFrame()).code.rawValue == 0) }
            #expect(client.isAtEnd())
        }
    }

    @Test func theCallIsThereAndErrorsKeepTheirCodes() async throws {
        try await withServer([SynchronousService()]) { address in
            let client = try RawClient(address)
            let name = "test.v1.Synchronous"
            client.send(try kit.frame("\(name).describe", info: "rkm1\nx-sent=1\n"))
            let described = try kit.parse(client.receiveFrame())
            #expect(
                described.payload == (try kit.text("\(name).describe 99998888 true")))
            #expect(described.info == "rkm1\nx-seen=1\n")
            client.send(try kit.frame("\(name).fail", payload: kit.text("rpc")))
            #expect(try kit.parse(client.receiveFrame()).code == .permissionDenied)
            client.send(try kit.frame("\(name).fail", payload: kit.text("x")))
            #expect(try kit.parse(client.receiveFrame()).code == .internal)
            client.send(try kit.frame("\(name).echo", payload: [0xFF]))
            #expect(try kit.parse(client.receiveFrame()).code == .failedDeserialize)
            client.finish()
            #expect(client.isAtEnd())
        }
    }

    @Test func interceptorsStandAroundSynchronousHandlersToo() async throws {
        let notes = InterceptorTests.Trace.Notes()
        let dispatcher = try RPCDispatcher(
            services: [SynchronousService()],
            interceptors: [InterceptorTests.Trace(name: "s", notes: notes)])
        let frame = try kit.frame("test.v1.Synchronous.echo", payload: kit.text("x"))
        let answer = try kit.parse(await dispatcher.answer(frame))
        #expect(answer.payload == (try kit.text("x")))
        #expect(notes.lines.withLock { $0.count } == 2)
    }
}
