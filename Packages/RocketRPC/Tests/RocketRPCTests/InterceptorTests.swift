import RocketRPC
import RocketSystem
import SwiftProtobuf
import Testing

@Suite struct InterceptorTests {
    /// Records each call, on the way in and on the way out.
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
}
