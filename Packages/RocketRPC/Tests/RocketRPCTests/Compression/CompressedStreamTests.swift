import Foundation
import RocketBase
import RocketCodec
import RocketReactorTestKit
import RocketTCP
import SwiftProtobuf
import Synchronization
import Testing

@_spi(Transport) @testable import RocketRPC

@Suite("Streams with compressed messages", .ownThread)
struct CompressedStreamTests {
    private let server = CountingRuns()
    private let client = CountingRuns()

    private func withBoth(
        limits: (inout RPCServerConfiguration) -> Void = { _ in },
        _ body: (RPCChannel) async throws -> Void
    ) async throws {
        try await withServer(
            [QuietService(), StreamService()],
            configure: {
                $0.protocols = [.tinyPB(compression: server, above: 1_000)]
                limits(&$0)
            }
        ) { address in
            var configuration = RPCChannelConfiguration.patient
            configuration.protocol = .tinyPB(compression: client, above: 1_000)
            let channel = try RPCChannel(to: address, configuration: configuration)
            defer { channel.close() }
            try await body(channel)
        }
    }

    private func zeros(_ count: Int) -> Bytes { Bytes(Data(count: count)) }

    /// Sends messages, and reads each before the next one.
    private func echo(
        _ channel: RPCChannel, _ method: RPCMethod<Bytes, Bytes>, options: RPCCallOptions = .init(),
        _ messages: [Bytes]
    ) async throws {
        let call = try await channel.stream(method, options: options)
        var iterator = call.responses.makeAsyncIterator()
        for message in messages {
            try await call.requests.write(message)
            #expect(try await iterator.next() == message)
        }
        call.finishRequests()
        #expect(try await iterator.next() == nil)
    }

    @Test("Messages of all sizes go both ways, compressed from the first one on")
    func bothWays() async throws {
        try await withBoth { channel in
            let mixed = Bytes(Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 * 7) }))
            // One message at first: the server's window frame says that it reads it compressed.
            try await echo(channel, StreamService.echo, [zeros(5_000)])
            #expect((client.compressed, server.decompressed) == (1, 1))
            #expect((server.compressed, client.decompressed) == (1, 1))
            try await echo(
                channel, StreamService.echo,
                [zeros(0), zeros(10), zeros(65_533), mixed, zeros(1_500_000), zeros(1_000)])
            #expect(server.decompressed > 20 && client.decompressed > 20)
        }
    }

    @Test("Many streams at a time")
    func many() async throws {
        try await withBoth { channel in
            try await withThrowingTaskGroup { group in
                for index in 0..<20 {
                    group.addTask {
                        let count = 100 << (index % 12)
                        try await echo(
                            channel, StreamService.echo, [zeros(count), zeros(3), zeros(count)])
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("A call may switch the compression of its requests off, unary and streamed")
    func requestsOff() async throws {
        try await withBoth { channel in
            _ = try await channel.call(QuietService.plain, zeros(5_000))
            let reply = try await channel.call(
                QuietService.loud, zeros(5_000), options: .uncompressed)
            #expect(reply == zeros(5_000))
            #expect((client.compressed, server.compressed) == (0, 1))
            try await echo(
                channel, StreamService.echo, options: .uncompressed, [zeros(5_000), zeros(200_000)])
            #expect(client.compressed == 0 && server.compressed > 4)
            _ = try await channel.call(QuietService.loud, zeros(5_000))
            #expect(client.compressed == 1)
        }
    }

    @Test("A handler may switch the compression of its replies off, unary and streamed")
    func repliesOff() async throws {
        try await withBoth { channel in
            for method in [QuietService.plain, QuietService.plainSynchronous] {
                #expect(try await channel.call(method, zeros(5_000)) == zeros(5_000))
            }
            try await echo(channel, QuietService.plainEcho, [zeros(5_000), zeros(200_000)])
            #expect(server.compressed == 0)
            #expect(try await channel.call(QuietService.loud, zeros(5_000)) == zeros(5_000))
            #expect(server.compressed == 1)
        }
    }

    @Test("The limit on messages holds for what they are without compression")
    func limit() async throws {
        try await withBoth(limits: { $0.limits.defaults.maxRequestBytes = 200_000 }) { channel in
            let error = await #expect(throws: RPCError.self) {
                try await echo(channel, StreamService.echo, [zeros(100_000), zeros(300_000)])
            }
            #expect(error?.code == .resourceExhausted)
            try await echo(channel, StreamService.echo, [zeros(100_000)])
        }
    }

    // MARK: On the wire

    private func withRawClient(_ body: (RawClient, FrameKit) throws -> Void) async throws {
        try await withServer(
            [StreamService(), TestService()],
            configure: { $0.protocols = [.tinyPB(compression: server, above: 1_000)] }
        ) { address in
            try body(try RawClient(address), FrameKit())
        }
    }

    private func open(
        _ id: String, _ kit: FrameKit, accepting lines: String = ""
    ) throws -> [UInt8] {
        try kit.frame(
            id: id, "test.v1.Streams.echo",
            info: "rkm1\n\(lines)stream=b\nwindow=1000000\n")
    }

    /// The next frame that is no window frame; the limit of the connection's last one.
    private func next(
        _ client: RawClient, _ kit: FrameKit, _ limit: inout Int
    ) throws -> FrameKit.Answer {
        while true {
            let answer = try kit.parse(client.receiveFrame())
            if answer.method != "rocket.window" { return answer }
            if answer.id == "" { limit = answer.payload.reduce(0) { $0 << 8 | Int($1) } }
        }
    }

    @Test("Data frames have the lines of the documentation, and old peers receive none with them")
    func wire() async throws {
        let message: [UInt8] = try zeros(5_000).serializedBytes()
        for (lines, isCompressed) in [
            ("accept-encoding=runs\n", false),
            ("accept-encoding=runs\naccept-stream-encoding=runs\n", true),
        ] {
            try await withRawClient { client, kit in
                var limit = 0
                client.send(try open("1", kit, accepting: lines))
                let window = try kit.parse(client.receiveFrame())
                #expect(window.method == "rocket.window")
                #expect(window.info.contains("accept-stream-encoding=runs\n"))
                // It reads compressed parts whatever this side reads.
                client.send(
                    try kit.frame(
                        id: "1", "rocket.data",
                        info: "rkm1\nencoding=runs\nlength=\(message.count)\n",
                        payload: runs(message)))
                #expect(try next(client, kit, &limit).method == "rocket.headers")
                let answer = try next(client, kit, &limit)
                #expect(answer.method == "rocket.data")
                #expect(
                    answer.info
                        == (isCompressed ? "rkm1\nencoding=runs\nlength=\(message.count)\n" : ""))
                #expect(try answer.payload == (isCompressed ? runs(message) : message))
            }
        }
    }

    @Test("A part that can't be decompressed fails its call alone, and is credit again")
    func bad() async throws {
        try await withRawClient { client, kit in
            var limit = 1 << 20
            let lines = "accept-encoding=runs\naccept-stream-encoding=runs\n"
            client.send(try open("good", kit, accepting: lines))
            for number in 0..<20 {
                client.send(try open("\(number)", kit))
                client.send(
                    try kit.frame(
                        id: "\(number)", "rocket.data",
                        info: "rkm1\nencoding=runs\nlength=65536\n", payload: [1]))
                let answer = try next(client, kit, &limit)
                #expect(answer.id == "\(number)")
                #expect(answer.method == "test.v1.Streams.echo")
                #expect(answer.code == .failedDeserialize)
            }
            client.send(try kit.frame(id: "good", "rocket.data", payload: kit.text("x")))
            #expect(try next(client, kit, &limit).method == "rocket.headers")
            #expect(try next(client, kit, &limit).payload == kit.text("x"))
            #expect(limit >= 20 << 16)
        }
    }

    @Test("A part that a channel can't decompress fails its call, which is cancelled")
    func badOnChannel() throws {
        let channel = try DrivenChannel.connected()
        let call = ChannelStreamTests.StreamCall(channel)
        channel.driven.tickUntilIdle()
        _ = channel.last.requests()
        channel.last.reply(
            to: call.call.idText, code: .failedDeserialize, info: "bad",
            payload: [0, 0, 0, 0, 0, 0, 0, 9], method: "rocket.data")
        channel.driven.tickUntilIdle()
        #expect(call.call.ends == [.error(.failedDeserialize)])
        #expect(channel.last.requests().map(\.method).contains("rocket.cancel"))
        #expect(channel.last.closing == nil)
        // Of a call that has ended it is dropped.
        channel.last.reply(
            to: call.call.idText, code: .failedDeserialize, method: "rocket.data")
        #expect(channel.last.closing == nil)
    }
}

/// Handlers that switch the compression of their replies off, and one that does not.
private struct QuietService: RPCService {
    static var serviceName: String { "test.v1.Quiet" }
    static let plain = RPCMethod<Bytes, Bytes>(service: serviceName, name: "plain")
    static let plainSynchronous = RPCMethod<Bytes, Bytes>(service: serviceName, name: "now")
    static let loud = RPCMethod<Bytes, Bytes>(service: serviceName, name: "loud")
    static let plainEcho = RPCMethod<Bytes, Bytes>(
        service: serviceName, name: "echo", kind: .bidirectionalStreaming)

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.plain) { request, call in
            #expect(call.compressesReply)
            call.compressesReply = false
            return request
        }
        try registry.add(
            Self.plainSynchronous,
            synchronous: { request, call in
                call.compressesReply = false
                return request
            })
        try registry.add(Self.loud) { request, call in
            #expect(call.compressesReply)
            return request
        }
        try registry.add(bidirectional: Self.plainEcho) { requests, responses, call in
            call.compressesReply = false
            for try await request in requests { try await responses.write(request) }
        }
    }
}

/// Counts the messages that its compressors have compressed and decompressed.
private final class CountingRuns: MessageCompression {
    let encodings = ["runs"]
    fileprivate let counts = Counts()

    var compressed: Int { counts.compressed.load(ordering: .relaxed) }
    var decompressed: Int { counts.decompressed.load(ordering: .relaxed) }

    func makeCompressor() -> any MessageCompressor { Compressor(counts: counts) }

    fileprivate final class Counts: Sendable {
        let compressed = Atomic(0)
        let decompressed = Atomic(0)
    }

    private final class Compressor: MessageCompressor {
        private let base = RunLengths()
        private let counts: Counts

        init(counts: Counts) { self.counts = counts }

        func compress(
            _ bytes: RawSpan, encoding: Int, into output: inout ByteBuffer
        ) throws(CompressionError) {
            counts.compressed.add(1, ordering: .relaxed)
            try base.compress(bytes, encoding: encoding, into: &output)
        }

        func decompress(
            _ bytes: RawSpan, encoding: Int, into output: inout ByteBuffer, atMost limit: Int
        ) throws(CompressionError) {
            counts.decompressed.add(1, ordering: .relaxed)
            try base.decompress(bytes, encoding: encoding, into: &output, atMost: limit)
        }
    }
}
