import RocketBase
import RocketRPC
import RocketTCP
import RocketTCPTestKit
import SwiftProtobuf
import Testing

/// Calls that end by deadline, cancellation, close of the channel or loss of the connection.
@Suite("How calls end without a reply")
struct CallEndTests {
    @Test("A deadline ends the call, and a late reply has no effect")
    func deadline() async throws {
        let service = TestService()
        try await withChannel([service]) { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(
                    TestService.hold, Number(1), timeout: .milliseconds(20))
            }
            #expect(error?.code == .callTimeout)
            service.gate.open()
            let next = try await channel.call(TestService.echo, Text("on"))
            #expect(next.value == "on")
        }
    }

    @Test("Cancelling the task ends its call at once")
    func taskCancellation() async throws {
        let service = TestService()
        try await withChannel([service]) { channel in
            let task = Task {
                try await channel.call(TestService.hold, Number(1), timeout: .seconds(3600))
            }
            await service.gate.arrived(1)
            task.cancel()
            let error = await #expect(throws: RPCError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            service.gate.open()
        }
    }

    @Test("A server that can't be reached fails the call with one error")
    func unreachableServer() async throws {
        // Bound, so that no other process gets the port, but not listening.
        let dead = try RawListener()
        let channel = try RPCChannel(to: dead.address)
        let error = await #expect(throws: RPCError.self) {
            try await channel.call(TestService.echo, Text())
        }
        #expect(error?.code == .failedConnect)
        withExtendedLifetime(dead) { channel.close() }
    }

    @Test("Closing a channel ends its calls")
    func closedChannel() async throws {
        let service = TestService()
        try await withServer([service]) { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            let task = Task {
                try await channel.call(TestService.hold, Number(1), timeout: .seconds(3600))
            }
            await service.gate.arrived(1)
            channel.close()
            let error = await #expect(throws: RPCError.self) { try await task.value }
            #expect(error?.code == .channelInit)
            service.gate.open()
        }
    }

    @Test("A lost connection ends each of its 10,000 calls once")
    func lostConnection() async throws {
        let service = TestService()
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configuration.limits.maxCallsPerConnection = 10_000
        configuration.drainTimeout = .zero
        let server = try RPCServer(configuration: configuration, services: [service])
        let running = Task { try await server.run() }
        let channel = try RPCChannel(to: try #require(await server.boundAddresses.first))
        let codes = try await withThrowingTaskGroup { group in
            for number in 0..<10_000 {
                group.addTask {
                    do throws(RPCError) {
                        _ = try await channel.call(
                            TestService.hold, Number(Int64(number)), timeout: .seconds(600))
                        return RPCErrorCode(rawValue: 0)
                    } catch {
                        return error.code
                    }
                }
            }
            await service.gate.arrived(10_000)
            server.beginDrain()
            try await running.value
            return try await group.reduce(into: [RPCErrorCode: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(codes == [.failedGetReply: 10_000])
        service.gate.open()
        channel.close()
    }

    @Test("A channel that was closed before its first call fails all calls")
    func closedBeforeFirstCall() async throws {
        try await withServer { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            channel.close()
            channel.close()
            for _ in 0..<3 {
                let error = await #expect(throws: RPCError.self) {
                    try await channel.call(TestService.echo, Text("x"))
                }
                #expect(error?.code == .channelInit)
            }
        }
    }
}
