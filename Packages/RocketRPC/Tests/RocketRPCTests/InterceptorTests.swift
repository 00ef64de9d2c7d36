import RocketCodec
import RocketBase
import RocketCodec
import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketRPC

@Suite("Interceptors")
struct InterceptorTests {
    /// Records the begin and the end of each call.
    struct Trace: RPCInterceptor {
        final class Notes: Sendable {
            let lines = Locked<[String]>([])
            func add(_ line: String) { lines.withLock { $0.append(line) } }
        }

        let name: String
        let notes: Notes

        func intercept<Request: Message & Sendable, Response: Message & Sendable>(
            _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
        ) async throws -> Response {
            notes.add("\(name) in \(call.method)")
            defer { notes.add("\(name) out") }
            return try await next(request, call)
        }
    }

    /// Refuses calls without the password.
    struct Password: RPCInterceptor {
        func intercept<Request: Message & Sendable, Response: Message & Sendable>(
            _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
        ) async throws -> Response {
            guard call.requestMetadata["x-password"] == "swordfish" else {
                throw RPCError(.unauthenticated, "wrong password")
            }
            return try await next(request, call)
        }
    }

    /// Adds the password.
    struct PasswordSender: RPCInterceptor {
        func intercept<Request: Message & Sendable, Response: Message & Sendable>(
            _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
        ) async throws -> Response {
            call.requestMetadata["x-password"] = "swordfish"
            return try await next(request, call)
        }
    }

    func withBoth(
        server: [any RPCInterceptor], client: [any RPCInterceptor],
        _ body: (RPCChannel) async throws -> Void
    ) async throws {
        try await withServer(interceptors: server) { address in
            let channel = try RPCChannel(to: address, interceptors: client)
            defer { channel.close() }
            try await body(channel)
        }
    }

    @Test("Interceptors wrap a call in the order in which they were added")
    func order() async throws {
        let notes = Trace.Notes()
        try await withBoth(
            server: [Trace(name: "s1", notes: notes), Trace(name: "s2", notes: notes)],
            client: [Trace(name: "c1", notes: notes), Trace(name: "c2", notes: notes)]
        ) { channel in
            let reply = try await channel.call(TestService.echo, Text("x"))
            #expect(reply.value == "x")
        }
        let echo = "test.v1.Test.echo"
        #expect(
            notes.lines.withLock { $0 } == [
                "c1 in \(echo)", "c2 in \(echo)", "s1 in \(echo)", "s2 in \(echo)", "s2 out",
                "s1 out", "c2 out", "c1 out",
            ])
    }

    @Test("An interceptor can answer a call itself, and change its metadata")
    func answersItself() async throws {
        try await withBoth(server: [Password()], client: []) { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(TestService.echo, Text("x"))
            }
            #expect(error?.code == .unauthenticated)
        }
        try await withBoth(server: [Password()], client: [PasswordSender()]) { channel in
            let reply = try await channel.call(TestService.echo, Text("x"))
            #expect(reply.value == "x")
        }
    }

    @Test("A handler's error passes through all interceptors")
    func handlerError() async throws {
        let notes = Trace.Notes()
        try await withBoth(
            server: [Trace(name: "s", notes: notes)], client: [Trace(name: "c", notes: notes)]
        ) { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(TestService.fail, Text("rpc"))
            }
            #expect(error?.code == .permissionDenied)
        }
        #expect(notes.lines.withLock { $0.count } == 4)
    }

    // MARK: Observers

    /// Records the begin and the end of each call, except of those whose method ends in `ignored`.
    struct Observer: RPCCallObserver {
        let name: String
        let notes: Trace.Notes
        var ignored = "none"

        func callBegan(_ call: RPCController) -> (@Sendable (RPCCallEnding) -> Void)? {
            notes.add("\(name) began")
            if call.method.hasSuffix(ignored) { return nil }
            return { [name, notes] ending in
                notes.add("\(name) \(ending.code.rawValue) \(ending.responseBytes)")
            }
        }
    }

    @Test("An observer observes the begin and the end of a call, on both sides")
    func observes() async throws {
        let notes = Trace.Notes()
        try await withBoth(
            server: [Observer(name: "s", notes: notes)], client: [Observer(name: "c", notes: notes)]
        ) { channel in
            _ = try await channel.call(TestService.echo, Text("x"))
            await #expect(throws: RPCError.self) {
                try await channel.call(TestService.fail, Text("rpc"))
            }
        }
        let denied = RPCErrorCode.permissionDenied.rawValue
        #expect(
            notes.lines.withLock { $0 } == [
                "c began", "s began", "s 0 3", "c 0 3",
                "c began", "s began", "s \(denied) 0", "c \(denied) 0",
            ])
    }

    @Test("An observer that returns nil observes the begin only")
    func observesBeginOnly() async throws {
        let notes = Trace.Notes()
        try await withBoth(
            server: [], client: [Observer(name: "c", notes: notes, ignored: "echo")]
        ) { channel in
            _ = try await channel.call(TestService.echo, Text("x"))
        }
        #expect(notes.lines.withLock { $0 } == ["c began"])
    }

    @Test("Observers and interceptors are called in the order in which they were added")
    func observerOrder() async throws {
        let notes = Trace.Notes()
        try await withBoth(
            server: [
                Observer(name: "outer", notes: notes), Password(),
                Observer(name: "inner", notes: notes),
            ],
            client: []
        ) { channel in
            await #expect(throws: RPCError.self) {
                try await channel.call(TestService.echo, Text("x"))
            }
        }
        let code = RPCErrorCode.unauthenticated.rawValue
        #expect(notes.lines.withLock { $0 } == ["outer began", "outer \(code) 0"])
    }

    @Test("Synchronous handlers remain synchronous with an observer, and their calls are observed")
    func synchronousHandlers() async throws {
        let notes = Trace.Notes()
        let observer = Observer(name: "s", notes: notes)
        var registry = RPCServiceRegistry(interceptors: [observer])
        try registry.add(SynchronousService())
        #expect(registry.entries.allSatisfy { $0.isSynchronous })
        let dispatcher = try RPCDispatcher(
            services: [SynchronousService()], interceptors: [observer])
        let kit = FrameKit()
        _ = await dispatcher.answer(
            try kit.frame("test.v1.Synchronous.echo", payload: kit.text("x")))
        #expect(notes.lines.withLock { $0 } == ["s began", "s 0 3"])
    }
}
