import RocketBase
import RocketRPC
import RocketSystem
import RocketReactorTestKit
import RocketTCP
import SwiftProtobuf
import Synchronization
import Testing

/// `rocket.cancel` frames, as described in docs/decisions/0006.
@Suite("Cancellation frames", .ownThread)
struct CancelTests {
    let kit = FrameKit()

    /// Runs a server, and passes its statistics to `body`.
    func withStatistics(
        _ service: TestService,
        _ body: (NetAddress, @Sendable () -> RPCServerStatistics) async throws -> Void
    ) async throws {
        let server = try RPCServer(
            configuration: RPCServerConfiguration(
                tcp: TCPServerConfiguration(listen: [.loopback(port: 0)])),
            services: [service])
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        try await body(address) { server.dispatcher.statistics }
        server.beginDrain()
        try await running.value
    }

    @Test("Cancelling a call cancels its handler, and no reply is sent")
    func cancelledCall() async throws {
        let service = TestService()
        try await withStatistics(service) { address, statistics in
            let client = try RawClient(address)
            client.send(try kit.frame(id: "7", "test.v1.Test.never"))
            await service.gate.arrived(1)
            client.send(try kit.frame(id: "7", "rocket.cancel"))
            await service.gate.wait()
            #expect(service.gate.cancelled.withLock { $0 } == 1)
            client.send(try kit.frame(id: "8", payload: kit.text("on")))
            client.finish()
            #expect(try kit.parse(client.receiveFrame()).id == "8")
            #expect(client.isAtEnd())
            #expect(statistics().cancelledCalls == 1)
            #expect(statistics().ignoredCancellations == 0)
        }
    }

    @Test("A cancellation leaves the call with the same id on another connection running")
    func otherConnection() async throws {
        let service = TestService()
        try await withStatistics(service) { address, statistics in
            let first = try RawClient(address)
            let second = try RawClient(address)
            first.send(
                try kit.frame(id: "7", "test.v1.Test.hold", payload: Number(1).serializedBytes()))
            await service.gate.arrived(1)
            second.send(try kit.frame(id: "7", "rocket.cancel") + kit.frame(id: "8"))
            #expect(try kit.parse(second.receiveFrame()).id == "8")
            service.gate.open()
            #expect(try kit.parse(first.receiveFrame()).code.rawValue == 0)
            #expect(statistics().ignoredCancellations == 1)
        }
    }

    @Test("Cancellations of finished and unknown calls are counted and ignored")
    func ignoredCancellations() async throws {
        try await withStatistics(TestService()) { address, statistics in
            let client = try RawClient(address)
            client.send(
                try kit.frame(id: "1") + kit.frame(id: "1", "rocket.cancel")
                    + kit.frame(id: "", "rocket.cancel") + kit.frame(id: "2"))
            #expect(try kit.parse(client.receiveFrame()).id == "1")
            #expect(try kit.parse(client.receiveFrame()).id == "2")
            #expect(statistics().ignoredCancellations == 2)
        }
    }

    @Test("A cancellation cancels only the call with its id")
    func oneOfMany() async throws {
        let service = TestService()
        try await withStatistics(service) { address, statistics in
            let client = try RawClient(address)
            let payload = try Number(1).serializedBytes() as [UInt8]
            for id in 0..<100 {
                client.send(try kit.frame(id: "\(id)", "test.v1.Test.hold", payload: payload))
            }
            await service.gate.arrived(100)
            for id in stride(from: 0, to: 100, by: 3) {
                client.send(try kit.frame(id: "\(id)", "rocket.cancel"))
            }
            client.send(try kit.frame(id: "done"))
            #expect(try kit.parse(client.receiveFrame()).id == "done")
            #expect(statistics().cancelledCalls == 34)
            service.gate.open()
            var ids: Set<String> = []
            for _ in 0..<66 { ids.insert(try kit.parse(client.receiveFrame()).id) }
            #expect(ids == Set((0..<100).filter { $0 % 3 != 0 }.map(String.init)))
            client.finish()
            #expect(client.isAtEnd())
        }
    }
}
