import RocketRPC
import RocketSystem
import SwiftProtobuf
import Testing

@Suite struct InterceptorTests {
    /// Writes down when a call passes, on the way in and on the way out.
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

    /// Lets nobody through who does not say the word.
    struct Password: RPCInterceptor {
        func intercept<Request: Message & Sendable, Response: Message & Sendable>(
            _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
        ) async throws -> Response {
            guard call.requestMetadata["x-word"] == "swordfish" else {
                throw RPCError(.unauthenticated, "say the word")
            }
            return try await next(request, call)
        }
    }

    /// Says the word.
    struct Speaker: RPCInterceptor {
        func intercept<Request: Message & Sendable, Response: Message & Sendable>(
            _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
        ) async throws -> Response {
            call.requestMetadata["x-word"] = "swordfish"
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

    @Test func theyStandAroundACallInTheOrderInWhichTheyWereAdded() async throws {
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

    @Test func oneMayAnswerByItselfAndOneMaySayMore() async throws {
        try await withBoth(server: [Password()], client: []) { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(TestService.echo, Text("x"))
            }
            #expect(error?.code == .unauthenticated)
        }
        try await withBoth(server: [Password()], client: [Speaker()]) { channel in
            let reply = try await channel.call(TestService.echo, Text("x"))
            #expect(reply.value == "x")
        }
    }

    @Test func anErrorOfTheHandlerPassesThroughAll() async throws {
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
