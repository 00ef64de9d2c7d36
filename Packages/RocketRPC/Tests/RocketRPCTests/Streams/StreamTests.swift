import Foundation
import RocketBase
import RocketCodec
import RocketSystem
import SwiftProtobuf
import Testing

@_spi(Transport) @testable import RocketRPC

/// Streaming calls over a socket and in memory.
@Suite("Streams")
struct StreamTests {
    let service = StreamService()

    func over(
        _ transport: TransportKind, _ configuration: RPCChannelConfiguration = .patient,
        _ body: (RPCChannel) async throws -> Void
    ) async throws {
        try await transport.withChannel(
            to: [service, TestService()], configuration: configuration, body)
    }

    @Test("Requests of a stream are answered by one response", arguments: TransportKind.channels)
    func clientStreaming(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            for count in [0, 1, 2, 1000] {
                let sum = try await channel.clientStream(StreamService.sum) { requests in
                    for number in 0..<count { try await requests.write(Number(Int64(number))) }
                }
                #expect(sum.value == Int64(count * (count - 1) / 2))
            }
        }
    }

    @Test("One request is answered by a stream", arguments: TransportKind.channels)
    func serverStreaming(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            for count: Int64 in [0, 1, 2, 5000] {
                var next: Int64 = 1
                let numbers = try await channel.serverStream(StreamService.count, Number(count))
                for try await number in numbers {
                    #expect(number.value == next)
                    next += 1
                }
                #expect(next == count + 1)
            }
        }
    }

    @Test("Messages go both ways in turns", arguments: TransportKind.channels)
    func bidirectional(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            let call = try await channel.stream(StreamService.echo)
            var iterator = call.responses.makeAsyncIterator()
            for size in [0, 1, 100, 65_535, 65_536, 65_537, 300_000, 1_500_000, 0, 7] {
                let message = Bytes(Data((0..<size).map { UInt8(truncatingIfNeeded: $0 / 7) }))
                try await call.requests.write(message)
                #expect(try await iterator.next() == message)
            }
            call.finishRequests()
            #expect(try await iterator.next() == nil)
            #expect(call.controller.isFinished && call.controller.error == nil)
        }
    }

    @Test("Both directions of a stream are used at once", arguments: TransportKind.channels)
    func bothAtOnce(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            let call = try await channel.stream(StreamService.echo)
            async let sent: Void = {
                for number in 0..<3000 {
                    try await call.requests.write(Bytes(Data("\(number)".utf8)))
                }
                call.finishRequests()
            }()
            var number = 0
            for try await message in call.responses {
                #expect(message.value == Data("\(number)".utf8))
                number += 1
            }
            try await sent
            #expect(number == 3000)
        }
    }

    @Test("Initial metadata arrives before the first message", arguments: TransportKind.channels)
    func headers(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            let call = RPCController()
            let numbers = try await channel.serverStream(StreamService.count, Number(2), call)
            for try await _ in numbers { #expect(call.replyMetadata["x-first"] == "headers") }
            #expect(call.replyMetadata == ["x-first": "headers"])
            let empty = RPCController()
            for try await _ in try await channel.serverStream(
                StreamService.count, Number(0), empty)
            {}
            #expect(empty.replyMetadata["x-first"] == "headers")
        }
    }

    @Test("Messages before an error are delivered before it", arguments: TransportKind.channels)
    func failing(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            for (text, code) in [
                ("rpc", RPCErrorCode.permissionDenied), ("business", .init(rawValue: 7)),
            ] {
                var count = 0
                let error = await #expect(throws: RPCError.self) {
                    for try await message in try await channel.serverStream(
                        StreamService.failing, Text(text))
                    {
                        #expect(message.value == text)
                        count += 1
                    }
                }
                #expect(error?.code == code && error?.method == StreamService.failing.fullName)
                #expect(count == 2)
            }
        }
    }

    @Test("A server may answer before it has read", arguments: TransportKind.channels)
    func early(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            let text = try await channel.clientStream(StreamService.early) { requests in
                while true { try await requests.write(Number(1)) }
            }
            #expect(text.value == "enough")
        }
    }

    @Test("A writer is suspended while nobody reads", arguments: TransportKind.channels)
    func backPressure(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            let count = Counter()
            let call = try await channel.stream(StreamService.hold)
            async let sent: Void = {
                for _ in 0..<2000 {
                    try await call.requests.write(Bytes(Data(count: 1000)))
                    count.add()
                }
            }()
            // A window, and what the writer buffers.
            while count.count < 250 { await Task.yield() }
            #expect(await count.settled() <= 262 + 66)
            service.gate.open()
            try await sent
            #expect(try await call.response().value == 2_000_000)
        }
    }

    @Test("A handler is suspended while nobody reads", arguments: TransportKind.channels)
    func floodIsBounded(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            let messages = try await channel.serverStream(StreamService.flood, Number(1000))
            var iterator = messages.makeAsyncIterator()
            _ = try await iterator.next()
            let held = await service.written.settled()
            #expect(held <= 262 * 2 + 66)
            for _ in 0..<1000 { _ = try await iterator.next() }
            #expect(service.written.count > 1000)
        }
    }

    @Test("A stream that nobody holds is cancelled", arguments: TransportKind.channels)
    func dropped(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            var messages: RPCMessageStream<Bytes>? = try await channel.serverStream(
                StreamService.flood, Number(1))
            var iterator = messages?.makeAsyncIterator()
            _ = try await iterator?.next()
            (messages, iterator) = (nil, nil)
            #expect(await service.seen.first.contains("the call has ended"))
        }
    }

    @Test("A deadline ends a stream on both sides", arguments: TransportKind.channels)
    func deadline(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            // On a busy machine a short deadline passes before the handler has begun.
            var timeout = Duration.milliseconds(50)
            while service.begun.count == 0 {
                let error = await #expect(throws: RPCError.self) {
                    let call = try await channel.stream(StreamService.deaf, timeout: timeout)
                    for try await _ in call.responses {}
                }
                #expect(error?.code == .callTimeout)
                timeout *= 2
            }
            #expect(await service.seen.first == "CANCELLED true")
        }
    }

    @Test("Cancelling a call ends its reader and its writer", arguments: TransportKind.channels)
    func cancel(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            let call = try await channel.stream(StreamService.deaf)
            try await call.requests.write(Text("hello"))
            call.cancel()
            let error = await #expect(throws: RPCError.self) {
                for try await _ in call.responses {}
            }
            #expect(error?.code == .cancelled)
            await #expect(throws: RPCError.self) {
                while true { try await call.requests.write(Text("again")) }
            }
            #expect(await service.seen.first == "CANCELLED true")
        }
    }

    @Test("A cancelled task stops reading", arguments: TransportKind.channels)
    func cancelledTask(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            let call = try await channel.stream(StreamService.deaf)
            let task = Task { for try await _ in call.responses {} }
            task.cancel()
            let error = await #expect(throws: RPCError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test("A thousand streams of a connection go on beside a reader that is stuck")
    func oneStuckReader() async throws {
        try await over(.loopback) { channel in
            let stuck = try await channel.serverStream(StreamService.flood, Number(1000))
            var first = stuck.makeAsyncIterator()
            _ = try await first.next()
            _ = await service.written.settled()
            try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<1000 {
                    group.addTask {
                        var sum: Int64 = 0
                        for try await number in try await channel.serverStream(
                            StreamService.count, Number(20))
                        {
                            sum += number.value
                        }
                        return sum
                    }
                }
                for try await sum in group { #expect(sum == 210) }
            }
        }
    }

    @Test("Calls without streams go on beside streams", arguments: TransportKind.channels)
    func unaryBeside(_ transport: TransportKind) async throws {
        try await over(transport) { channel in
            let stream = try await channel.serverStream(StreamService.flood, Number(100_000))
            for number in 0..<20 {
                let reply = try await channel.call(TestService.echo, Text("\(number)"))
                #expect(reply.value == "\(number)")
            }
            var iterator = stream.makeAsyncIterator()
            _ = try await iterator.next()
        }
    }

    @Test("A message that is too large fails its writer, not the call")
    func tooLarge() async throws {
        var configuration = RPCChannelConfiguration.patient
        configuration.codec = .init(maxFrameBytes: 100_000)
        try await over(.loopback, configuration) { channel in
            let call = try await channel.stream(StreamService.hold)
            let error = await #expect(throws: RPCError.self) {
                try await call.requests.write(Bytes(Data(count: 100_001)))
            }
            #expect(error?.code == .resourceExhausted)
            service.gate.open()
            try await call.requests.write(Bytes(Data(count: 1000)))
            #expect(try await call.response().value == 1000)
        }
    }

    @Test("A received message that is too large ends the call")
    func tooLargeReceived() async throws {
        var configuration = RPCChannelConfiguration.patient
        configuration.codec = .init(maxFrameBytes: 100_000)
        try await over(.loopback, configuration) { channel in
            let messages = try await channel.serverStream(StreamService.flood, Number(150_000))
            let error = await #expect(throws: RPCError.self) { for try await _ in messages {} }
            #expect(error?.code == .resourceExhausted)
            #expect(await service.seen.first.contains("the call has ended"))
        }
    }

    @Test("A streaming method is not called as one without streams")
    func wrongKind() async throws {
        try await over(.loopback) { channel in
            let unary = RPCMethod<Number, Number>(
                service: StreamService.serviceName, name: "count")
            let error = await #expect(throws: RPCError.self) {
                _ = try await channel.call(unary, Number(1))
            }
            #expect(error?.code == .methodNotFound)
            let stream = RPCMethod<Text, Text>(
                service: TestService.serviceName, name: "echo", kind: .serverStreaming)
            let other = await #expect(throws: RPCError.self) {
                for try await _ in try await channel.serverStream(stream, Text("x")) {}
            }
            #expect(other?.code == .methodNotFound)
        }
    }

    @Test("Streams beyond the limit of a connection are refused")
    func limit() async throws {
        try await withServer(
            [service], configure: { $0.limits.streams.maxPerConnection = 2 }
        ) { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            defer { channel.close() }
            let first = try await channel.stream(StreamService.deaf)
            let second = try await channel.stream(StreamService.deaf)
            try await first.requests.write(Text(""))
            try await second.requests.write(Text(""))
            let error = await #expect(throws: RPCError.self) {
                for try await _ in try await channel.serverStream(
                    StreamService.count, Number(1))
                {}
            }
            #expect(error?.code == .resourceExhausted)
            first.cancel()
            second.cancel()
        }
    }

    @Test("The end of the connection ends its streams")
    func connectionEnds() async throws {
        try await over(.loopback) { channel in
            let call = try await channel.stream(StreamService.deaf)
            try await call.requests.write(Text(""))
            channel.close()
            let error = await #expect(throws: RPCError.self) {
                for try await _ in call.responses {}
            }
            #expect(error?.code == .channelInit)
            #expect(await service.seen.first == "CANCELLED true")
        }
    }

    @Test("A dispatcher without a connection refuses streams")
    func dispatcherOnly() async throws {
        let dispatcher = try RPCDispatcher(services: [service])
        let caller = DispatcherCaller(dispatcher)
        let error = await #expect(throws: RPCError.self) {
            _ = try await caller.call(
                StreamService.count, Number(1), metadata: ["stream": "s", "window": "1000"])
        }
        #expect(error?.code == .internal)
    }
}
