import RocketBase
import RocketSystem
import SwiftProtobuf
import Synchronization
import RocketReactorTestKit
import Testing

@testable import RocketRPC

@Suite("Synchronous handlers", .ownThread)
struct SynchronousTests {
    let kit = FrameKit()

    @Test("Synchronous and asynchronous methods share a connection")
    func mixedMethods() async throws {
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

    @Test("A frame in fragments and 1,000 frames at once are answered")
    func frameSplits() async throws {
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

    @Test("Calls of several methods in turn are served in one read, each with its own id")
    func methodsInTurn() async throws {
        try await withServer([TestService(), SynchronousService()]) { address in
            let client = try RawClient(address)
            let name = "test.v1.Synchronous"
            client.send(
                try kit.frame(id: "1", "\(name).echo", payload: kit.text("a"))
                    + kit.frame(id: "22", "\(name).echo", payload: kit.text("b"))
                    + kit.frame(id: "3", "\(name).fail", payload: kit.text("rpc"))
                    + kit.frame(id: "4", "\(name).none")
                    + kit.frame(id: "5", "\(name).echo", payload: kit.text("c"))
                    + kit.frame(id: "6", "\(name).describe")
                    + kit.frame(id: "7", payload: kit.text("d"))
                    + kit.frame(id: "8", "\(name).echo", payload: kit.text("e")))
            let answers = try (0..<8).map { _ in try kit.parse(client.receiveFrame()) }
            #expect(answers.map(\.id) == ["1", "22", "3", "4", "5", "6", "7", "8"])
            let codes: [RPCErrorCode?] = [
                nil, nil, .permissionDenied, .methodNotFound, nil, nil, nil, nil,
            ]
            #expect(answers.map { $0.code.rawValue == 0 ? nil : $0.code } == codes)
            let texts = try ["a", "b", "", "", "c", "\(name).describe 6 true", "d", "e"]
                .map { $0.isEmpty ? [] : try kit.text($0) }
            #expect(answers.map(\.payload) == texts)
        }
    }

    @Test("A synchronous handler has its call, and its errors keep their codes")
    func controllerAndErrors() async throws {
        try await withServer([SynchronousService()]) { address in
            let client = try RawClient(address)
            let name = "test.v1.Synchronous"
            client.send(try kit.frame("\(name).describe", info: "rkm1\nx-sent=1\n"))
            let described = try kit.parse(client.receiveFrame())
            #expect(
                described.payload == (try kit.text("\(name).describe 99998888 true")))
            #expect(described.info == "rkm1\nlimit=8192\nx-seen=1\n")
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

    @Test("Synchronous interceptors leave handlers synchronous")
    func synchronousInterceptors() throws {
        let notes = InterceptorTests.Trace.Notes()
        let watch = SynchronousTrace(notes: notes)
        var registry = RPCServiceRegistry(interceptors: [watch, watch])
        try registry.add(SynchronousService())
        #expect(registry.entries.allSatisfy { $0.isSynchronous })
        var mixed = RPCServiceRegistry(
            interceptors: [watch, InterceptorTests.Trace(name: "s", notes: notes)])
        try mixed.add(SynchronousService())
        #expect(!mixed.entries.contains { $0.isSynchronous })
    }

    @Test("Synchronous interceptors can refuse calls, and the first one is outermost")
    func interceptorOrder() async throws {
        let notes = InterceptorTests.Trace.Notes()
        try await withServer(
            [SynchronousService()],
            interceptors: [
                SynchronousTrace(name: "outer", notes: notes),
                SynchronousTrace(name: "inner", notes: notes, refuses: "no"),
            ]
        ) { address in
            let client = try RawClient(address)
            for text in ["yes", "no"] {
                client.send(try kit.frame("test.v1.Synchronous.echo", payload: kit.text(text)))
            }
            #expect(try kit.parse(client.receiveFrame()).payload == kit.text("yes"))
            #expect(try kit.parse(client.receiveFrame()).code == .permissionDenied)
        }
        let lines = notes.lines.withLock { $0 }
        #expect(
            lines == ["outer in", "inner in", "inner out", "outer out", "outer in", "outer out"])
    }

    @Test("Asynchronous interceptors wrap synchronous handlers")
    func asynchronousInterceptors() async throws {
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

/// Records the begin and the end of each call, and refuses one text.
struct SynchronousTrace: RPCSynchronousInterceptor {
    var name = ""
    let notes: InterceptorTests.Trace.Notes
    var refuses: String?

    func intercept<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
    ) async throws -> Response {
        try await next(request, call)
    }

    func intercept<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: Request, _ call: RPCController, next: RPCSynchronousHandler<Request, Response>
    ) throws -> Response {
        if let refuses, (request as? Text)?.value == refuses {
            throw RPCError(.permissionDenied, "not that")
        }
        notes.add("\(name) in")
        defer { notes.add("\(name) out") }
        return try next(request, call)
    }
}
