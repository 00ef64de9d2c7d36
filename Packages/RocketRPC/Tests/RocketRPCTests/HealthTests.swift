import RocketBase
import RocketRPC
import SwiftProtobuf
import Testing

@Suite("Health service")
struct HealthTests {
    func statuses(
        _ channel: RPCChannel, _ services: [String]
    ) async throws -> [RPCHealth.Status] {
        var found: [RPCHealth.Status] = []
        for name in services {
            found.append(
                try await RPCHealthClient(channel).check(.with { $0.service = name }).status)
        }
        return found
    }

    @Test("Every service is SERVING until the application sets another status")
    func statusChanges() async throws {
        let server = RPCHealth(services: ["a.B"])
        #expect(server.status() == .serving)
        #expect(server.status(of: "a.B") == .serving)
        #expect(server.status(of: "a.C") == .serviceUnknown)
        server.set(.notServing, for: "a.B")
        #expect(server.status(of: "a.B") == .notServing)
        #expect(server.status() == .serving)
        server.set(.notServing)
        #expect(server.status() == .notServing)
    }

    @Test("A server reports the health of its services")
    func serverStatuses() async throws {
        try await withChannel { channel in
            let found = try await statuses(channel, ["", "test.v1.Test", "test.v1.Nobody"])
            #expect(found == [.serving, .serving, .serviceUnknown])
        }
    }

    @Test("A watch call returns when the status changes, and not before")
    func watchedChange() async throws {
        let health = RPCHealth(services: ["a.B", "a.C"])
        let call = try await controller()
        let request = RPCHealthWatchRequest.with {
            $0.service = "a.B"
            $0.known = .serving
        }
        let first = try await health.watch(.with { $0.service = "a.B" }, call)
        #expect(first.status == .serving)
        async let watched = health.watch(request, call)
        health.set(.notServing, for: "a.C")
        health.set(.notServing, for: "a.B")
        let status = try await watched.status
        #expect(status == .notServing)
    }

    @Test("Cancelling a watch call ends it")
    func cancelledWatch() async throws {
        let health = RPCHealth(services: ["a.B"])
        let call = try await controller()
        let task = Task {
            try await health.watch(
                .with {
                    $0.service = "a.B"
                    $0.known = .serving
                }, call)
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("The health service can be switched off")
    func switchedOff() async throws {
        try await withChannel {
            $0.health = false
        } _: { channel in
            let error = await #expect(throws: RPCError.self) {
                try await RPCHealthClient(channel).check(.init())
            }
            #expect(error?.code == .serviceNotFound)
        }
    }

    @Test("Health checks are answered above the limit on calls in flight")
    func aboveCallLimit() async throws {
        let service = TestService()
        try await withChannel([service]) {
            $0.limits.maxCallsPerConnection = 1
        } _: { channel in
            async let held = channel.call(TestService.hold, Number(1), timeout: .seconds(3600))
            await service.gate.arrived(1)
            let found = try await statuses(channel, [""])
            #expect(found == [.serving])
            service.gate.open()
            _ = try await held
        }
    }

    /// The controller of a finished call.
    func controller() async throws -> RPCController {
        struct Catcher: RPCService {
            static var serviceName: String { "catcher.Catcher" }
            let source: AsyncStream<RPCController>.Continuation
            func register(in registry: inout RPCServiceRegistry) throws {
                try registry.add(
                    RPCMethod<Text, Text>(service: Self.serviceName, name: "x"),
                    synchronous: { request, call in
                        source.yield(call)
                        return request
                    })
            }
        }
        let (calls, source) = AsyncStream.makeStream(of: RPCController.self)
        let dispatcher = try RPCDispatcher(services: [Catcher(source: source)])
        _ = await dispatcher.answer(try FrameKit().frame("catcher.Catcher.x"))
        return try #require(await calls.first { _ in true })
    }
}
