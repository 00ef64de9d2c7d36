import RocketBase
import RocketCodec
import SwiftProtobuf
import Testing

@_spi(Transport) @testable import RocketRPC

/// What an application can do wrong with streams: it gets an error, and nothing waits for ever.
@Suite("Misuse of streams")
struct StreamMisuseTests {
    let service = StreamService()

    /// Does not call `next`, calls it twice, or throws behind it.
    struct Interceptor: RPCStreamInterceptor {
        let calls: Int
        var throwing = false

        nonisolated(nonsending) func intercept<Request, Response>(
            _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
        ) async throws -> Response {
            try await next(request, call)
        }

        nonisolated(nonsending) func interceptStream(
            _ call: RPCController, next: nonisolated(nonsending) () async throws -> Void
        ) async throws {
            for _ in 0..<calls { try await next() }
            if throwing { throw RPCError(.permissionDenied, "behind") }
        }
    }

    @Test(
        "An interceptor of a channel that begins a call never, twice, or throws ends the call",
        arguments: [
            (Interceptor(calls: 0), RPCErrorCode.internal),
            (Interceptor(calls: 2), .internal),
            (Interceptor(calls: 1, throwing: true), .permissionDenied),
            (Interceptor(calls: 0, throwing: true), .permissionDenied),
        ])
    func channelInterceptor(_ interceptor: Interceptor, _ code: RPCErrorCode) async throws {
        try await TransportKind.loopback.withChannel(
            to: [service], configuration: .patient, interceptors: [interceptor]
        ) { channel in
            let call = RPCController()
            let error = await #expect(throws: RPCError.self) {
                _ = try await channel.stream(StreamService.deaf, call)
            }
            #expect(error?.code == code && call.isFinished)
            // Those that had begun are not left in flight.
            while channel.statistics.callsInFlight > 0 { await Task.yield() }
        }
    }

    @Test("An interceptor of a server that does not call the handler gives no response")
    func serverInterceptor() async throws {
        try await withServer([service], interceptors: [Interceptor(calls: 0)]) { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            defer { channel.close() }
            let error = await #expect(throws: RPCError.self) {
                _ = try await channel.clientStream(StreamService.sum) { _ in }
            }
            #expect(error?.code == .internal)
        }
    }

    @Test("Methods are called as their kind", arguments: TransportKind.channels)
    func kinds(_ transport: TransportKind) async throws {
        try await transport.withChannel(to: [service], configuration: .patient) { channel in
            func isRefused(_ body: () async throws -> Void) async {
                let error = await #expect(throws: RPCError.self) { try await body() }
                #expect(error?.code == .internal)
            }
            let unary = RPCMethod<Number, Number>(service: "a.B", name: "c")
            await isRefused { _ = try await channel.stream(unary) }
            await isRefused { _ = try await channel.stream(StreamService.count) }
            await isRefused { _ = try await channel.serverStream(StreamService.sum, Number(1)) }
            await isRefused { _ = try await channel.clientStream(StreamService.echo) { _ in } }
        }
    }

    @Test("Writing behind the end fails, and the response can be read again")
    func writeBehindEnd() async throws {
        try await withChannel([service]) { channel in
            let call = try await channel.stream(StreamService.sum)
            try await call.requests.write(Number(1))
            call.finishRequests()
            call.finishRequests()
            let error = await #expect(throws: RPCError.self) {
                try await call.requests.write(Number(1))
            }
            #expect(error?.code == .failedPrecondition || error?.code == .cancelled)
            for _ in 0..<2 { #expect(try await call.response().value == 1) }
        }
    }
}
