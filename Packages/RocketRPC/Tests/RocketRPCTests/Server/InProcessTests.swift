import RocketBase
import RocketReactor
import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// Both ends of an in-process channel share a loop: what one end does may come back to it.
@Suite("In-process channels")
struct InProcessTests {
    /// Calls another method over the same channel, or ends a call of it.
    final class Nested: RPCService {
        static let serviceName = "test.Nested"
        static let outer = RPCMethod<Text, Text>(service: serviceName, name: "outer")
        static let inner = RPCMethod<Text, Text>(service: serviceName, name: "inner")
        static let sync = RPCMethod<Text, Text>(service: serviceName, name: "sync")
        static let proxy = RPCMethod<Text, Text>(service: serviceName, name: "proxy")
        let channel = Locked<RPCChannel?>(nil)
        let innerBegun = AsyncEvent()
        let gate = AsyncEvent()

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.outer) { request, _ in
                guard let channel = self.channel.withLock({ $0 }) else { return request }
                return try await channel.call(Self.inner, request)
            }
            try registry.add(Self.inner) { request, _ in
                self.innerBegun.fire()
                await self.gate.wait()
                return request
            }
            try registry.add(Self.sync, synchronous: { request, _ in request })
            try registry.add(Self.proxy) { request, call in
                guard let channel = self.channel.withLock({ $0 }) else { return request }
                return try await channel.call(Self.sync, request, call)
            }
        }
    }

    @Test("Cancelling a call cancels the call that its handler makes over the same channel")
    func cancellation() async throws {
        let service = Nested()
        let channel = try RPCChannel(inProcess: [service], configuration: .patient)
        service.channel.withLock { $0 = channel }
        let task = Task { try await channel.call(Nested.outer, Text("x")) }
        await service.innerBegun.wait()
        task.cancel()
        let error = await #expect(throws: RPCError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        service.gate.fire()
        #expect(try await channel.call(Nested.sync, Text("on")).value == "on")
        service.channel.withLock { $0 = nil }
        channel.close()
    }

    @Test("A served call's controller can't be used to make a call, and stays unchanged")
    func servedController() async throws {
        let service = Nested()
        let channel = try RPCChannel(inProcess: [service], configuration: .patient)
        service.channel.withLock { $0 = channel }
        let error = await #expect(throws: RPCError.self) {
            try await channel.call(Nested.proxy, Text("x"))
        }
        #expect(error?.code == .internal && error?.message.contains("make one") == true)
        #expect(try await channel.call(Nested.sync, Text("on")).value == "on")
        service.channel.withLock { $0 = nil }
        channel.close()
    }

    @Test("A channel that is closed leaves nothing of its services behind")
    func lifetime() async throws {
        weak var observed: Nested?
        let thread = try IOThread(name: "in-process")
        do {
            let service = Nested()
            observed = service
            let channel = try RPCChannel(
                inProcess: RPCDispatcher(services: [service]), configuration: .patient,
                loop: thread.loop)
            #expect(try await channel.call(Nested.sync, Text("x")).value == "x")
            channel.close()
        }
        thread.stop()
        await thread.ended()
        #expect(observed == nil)
    }
}
