import Foundation
import RocketBase
import RocketGRPC
import RocketRPC
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@Suite("The end of connections of gRPC")
struct DrainTests {
    @Test("A server that drains answers its calls, streams too, and closes")
    func drain() async throws {
        try await withGRPCServer { server, address in
            let channel = try RPCChannel(to: address, configuration: grpcChannel())
            defer { channel.close() }
            let call = try await channel.stream(GRPCService.chat)
            var responses = call.responses.makeAsyncIterator()
            try await call.requests.write(Bytes(Data([1])))
            let first = try await responses.next()
            #expect(first?.value.count == 1)
            server.beginDrain()
            for _ in 0..<10 {
                try await call.requests.write(Bytes(Data([1, 2])))
                let response = try await responses.next()
                #expect(response?.value.count == 2)
            }
            call.finishRequests()
            let end = try await responses.next()
            #expect(end == nil)
        }
    }

    @Test("A response that nobody has read yet is whole when the server is gone")
    func readLater() async throws {
        var channel: RPCChannel?
        var responses: RPCMessageStream<Bytes>?
        try await withGRPCServer { _, address in
            let made = try RPCChannel(to: address, configuration: grpcChannel())
            let call = try await made.stream(GRPCService.chat)
            // More than the channel keeps of a stream, 256 KiB: HTTP/2 keeps the rest.
            for _ in 0..<33 { try await call.requests.write(Bytes(Data(count: 10_000))) }
            call.finishRequests()
            (channel, responses) = (made, call.responses)
        }
        var count = 0
        for try await response in try #require(responses) { count += response.value.count }
        #expect(count == 330_000)
        channel?.close()
    }

    @Test("Old connections are replaced, and no call is lost")
    func age() async throws {
        try await withGRPCServer(
            configure: { configuration in
                configuration.maxConnectionAge = .milliseconds(20)
                configuration.maxConnectionAgeGrace = .seconds(600)
            }
        ) { _, address in
            // On a busy machine a connection may be too old before the first call arrives.
            var configuration = grpcChannel()
            configuration.retry.maxAttempts = 1000
            let channel = try RPCChannel(to: address, configuration: configuration)
            defer { channel.close() }
            while channel.statistics.connects < 4 {
                let reply = try await channel.call(GRPCService.echo, Text("x"))
                #expect(reply.value == "x")
            }
        }
    }

    @Test("Calls and streams that have not ended in time end with UNAVAILABLE")
    func timedOut() async throws {
        let service = GRPCService()
        try await withGRPCServer([service], configure: { $0.drainTimeout = .milliseconds(10) }) {
            server, address in
            let channel = try RPCChannel(to: address, configuration: grpcChannel())
            defer { channel.close() }
            let task = Task { try await channel.call(GRPCService.wait, Text()) }
            let call = try await channel.stream(GRPCService.chat)
            try await call.requests.write(Bytes(Data([1])))
            var responses = call.responses.makeAsyncIterator()
            let first = try await responses.next()
            #expect(first?.value.count == 1)
            await service.hasBegun.wait()
            server.beginDrain()
            let error = await #expect(throws: RPCError.self) { try await task.value }
            #expect(error?.code == .peerClosed && error?.code.grpcStatus == 14)
            #expect(error?.message.contains("the server stopped") == true)
            let end = await #expect(throws: RPCError.self) { try await responses.next() }
            #expect(end?.code == .peerClosed && end?.message == error?.message)
        }
    }

    @Test("A drain does not wait for a client that reads nothing")
    func neverRead() async throws {
        let service = GRPCService()
        try await withGRPCServer([service], configure: { $0.drainTimeout = .milliseconds(10) }) {
            _, address in
            let channel = try RPCChannel(to: address, configuration: grpcChannel())
            defer { channel.close() }
            let call = RPCController()
            let unread = try await channel.serverStream(GRPCService.flood, Number(1 << 20), call)
            await service.hasBegun.wait()
            _ = consume unread
        }
        await service.wasCancelled.wait()
    }

    @Test("A connection that ends fails the calls that the server may have seen")
    func lost() async throws {
        let service = GRPCService()
        try await withGRPCServer([service], configure: { $0.drainTimeout = .zero }) {
            server, address in
            let channel = try RPCChannel(to: address, configuration: grpcChannel())
            defer { channel.close() }
            let task = Task { try await channel.call(GRPCService.wait, Text()) }
            await service.hasBegun.wait()
            server.beginDrain()
            let error = await #expect(throws: RPCError.self) { try await task.value }
            #expect(error?.code == .failedGetReply)
        }
    }
}
