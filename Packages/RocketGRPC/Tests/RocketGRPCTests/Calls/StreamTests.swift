import Foundation
import RocketBase
import RocketCodec
import RocketGRPC
import RocketRPC
import RocketSystem
import SwiftProtobuf
import Testing

@Suite("Streaming calls over gRPC")
struct StreamTests {
    @Test("A stream of requests is answered by one response")
    func clientStreaming() async throws {
        try await withGRPC { channel in
            let sum = try await channel.clientStream(GRPCService.sum) { requests in
                for number in 1...1000 { try await requests.write(Number(Int64(number))) }
            }
            #expect(sum.value == 500_500)
            let none = try await channel.clientStream(GRPCService.sum) { _ in }
            #expect(none.value == 0)
        }
    }

    @Test("A request is answered by a stream of responses")
    func serverStreaming() async throws {
        try await withGRPC { channel in
            for count in [0, 1, 5000] {
                var numbers: [Int64] = []
                for try await number in try await channel.serverStream(
                    GRPCService.count, Number(Int64(count)))
                {
                    numbers.append(number.value)
                }
                #expect(numbers == Array(0..<Int64(count)).map { $0 + 1 })
            }
        }
    }

    @Test("Both sides stream, messages of all sizes", arguments: [0, 10, 70_000, 1_000_000])
    func bidirectional(size: Int) async throws {
        try await withGRPC { channel in
            let call = try await channel.stream(GRPCService.chat)
            var responses = call.responses.makeAsyncIterator()
            for index in 0..<10 {
                let data = Data(repeating: UInt8(index), count: size)
                try await call.requests.write(Bytes(data))
                let reply1 = try await responses.next()?.value
                #expect(reply1 == data)
            }
            call.finishRequests()
            let reply2 = try await responses.next()
            #expect(reply2 == nil)
        }
    }

    @Test("Streams of which much waits on both sides go on")
    func floods() async throws {
        try await withGRPC { channel in
            let data = Data(repeating: 7, count: 1000)
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        let call = try await channel.stream(GRPCService.chat)
                        async let writing: Void = {
                            for _ in 0..<2000 { try await call.requests.write(Bytes(data)) }
                            call.finishRequests()
                        }()
                        var count = 0
                        for try await response in call.responses {
                            count += response.value == data ? 1 : 0
                        }
                        try await writing
                        #expect(count == 2000)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("Initial and trailing metadata of streams arrive")
    func metadata() async throws {
        try await withGRPC { channel in
            let controller = RPCController()
            for try await _ in try await channel.serverStream(
                GRPCService.count, Number(2), controller)
            {}
            #expect(controller.replyMetadata["x-initial"] == "1")
            #expect(controller.trailingMetadata["x-trailing"] == "2")
            let sum = try await channel.stream(GRPCService.sum)
            sum.finishRequests()
            let reply3 = try await sum.response().value
            #expect(reply3 == 0)
            #expect(sum.controller.replyMetadata["x-initial"] == "1")
            #expect(sum.controller.trailingMetadata["x-trailing"] == "2")
        }
    }

    @Test("An error comes behind the messages that were written before it")
    func failing() async throws {
        try await withGRPC { channel in
            for count in [0, 3] {
                var numbers = 0
                let error = await #expect(throws: RPCError.self) {
                    for try await _ in try await channel.serverStream(
                        GRPCService.failing, Number(Int64(count)))
                    {
                        numbers += 1
                    }
                }
                #expect(error?.code == .failedPrecondition && error?.message == "not now")
                #expect(numbers == count)
            }
        }
    }

    @Test("A server that answers early ends the client's stream")
    func early() async throws {
        try await withGRPC { channel in
            let call = try await channel.stream(GRPCService.early)
            let reply4 = try await call.response().value
            #expect(reply4 == "enough")
            let reply5 = try await channel.call(GRPCService.echo, Text("x")).value
            #expect(reply5 == "x")
        }
    }

    @Test("A client that reads nothing holds the server back, and its cancel ends the call")
    func backPressure() async throws {
        let service = GRPCService()
        try await withGRPC([service]) { channel in
            let controller = RPCController()
            let responses = try await channel.serverStream(
                GRPCService.flood, Number(10_000), controller)
            await service.hasBegun.wait()
            // Other calls on the connection go on.
            for _ in 0..<20 {
                let reply6 = try await channel.call(GRPCService.echo, Text("x")).value
                #expect(reply6 == "x")
            }
            controller.cancel()
            await service.wasCancelled.wait()
            withExtendedLifetime(responses) {}
        }
    }

    @Test("Many streams on one connection")
    func many() async throws {
        try await withGRPC { channel in
            try await withThrowingTaskGroup(of: Int64.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        try await channel.clientStream(GRPCService.sum) { requests in
                            for _ in 0..<100 { try await requests.write(Number(Int64(index))) }
                        }.value
                    }
                }
                var sum: Int64 = 0
                for try await part in group { sum += part }
                #expect(sum == 100 * 4950)
            }
            #expect(channel.statistics.connects == 1)
        }
    }
}
