import RocketBase
import RocketCodec
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// One sender, many streams.
@Suite("Broadcast")
struct BroadcastTests {
    static let watch = RPCMethod<Text, Number>(
        service: "test.v1.Broadcast", name: "watch", kind: .serverStreaming)

    struct Service: RPCService {
        static var serviceName: String { "test.v1.Broadcast" }
        let broadcast: RPCBroadcast<Number>

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(serverStreaming: watch) { _, responses, call in
                try await broadcast.send(to: responses)
            }
        }
    }

    func with(
        _ policy: RPCBroadcast<Number>.SlowReaderPolicy, maxStreams: Int = 1000,
        _ body: (RPCBroadcast<Number>, RPCChannel) async throws -> Void
    ) async throws {
        let broadcast = RPCBroadcast(
            for: Self.watch, slowReaders: policy, maxStreams: maxStreams)
        var configuration = RPCChannelConfiguration.patient
        configuration.streams.windowBytes = 4096
        try await TransportKind.loopback.withChannel(
            to: [Service(broadcast: broadcast)], configuration: configuration
        ) { try await body(broadcast, $0) }
    }

    func joined(_ broadcast: RPCBroadcast<Number>, _ count: Int) async {
        while broadcast.streamCount != count { await Task.yield() }
    }

    @Test("Each stream receives each message, in order")
    func all() async throws {
        try await with(.disconnect(above: 100_000)) { broadcast, channel in
            try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        var next: Int64 = 0
                        for try await number in try await channel.serverStream(
                            Self.watch, Text(""))
                        {
                            #expect(number.value == next)
                            next += 1
                        }
                        return next
                    }
                }
                await joined(broadcast, 50)
                for number in 0..<200 { try broadcast.send(Number(Int64(number))) }
                broadcast.finish()
                for try await count in group { #expect(count == 200) }
            }
            #expect(broadcast.streamCount == 0)
        }
    }

    @Test("The oldest messages of a slow stream are dropped, and their number is told")
    func dropOldest() async throws {
        try await with(.dropOldest(keeping: 3, notice: { Number(-Int64($0)) })) {
            broadcast, channel in
            let stream = try await channel.serverStream(Self.watch, Text(""))
            await joined(broadcast, 1)
            // Without a suspension in between: the handler can't take any of them meanwhile, or
            // takes some, whose number is then missing in the notice.
            for number in 0..<100_000 { try broadcast.send(Number(Int64(number))) }
            broadcast.finish()
            var (received, dropped, last) = (0, 0, Int64(-1))
            for try await number in stream {
                if number.value < 0 {
                    dropped -= Int(number.value)
                } else {
                    #expect(number.value > last)
                    last = number.value
                    received += 1
                }
            }
            #expect(received + dropped == 100_000 && last == 99_999)
        }
    }

    @Test("Of states a slow stream receives the latest")
    func latestOnly() async throws {
        try await with(.latestOnly) { broadcast, channel in
            let stream = try await channel.serverStream(Self.watch, Text(""))
            await joined(broadcast, 1)
            for number in 0..<10_000 { try broadcast.send(Number(Int64(number))) }
            broadcast.finish()
            var last: Int64 = -1
            for try await number in stream { last = number.value }
            #expect(last == 9_999)
        }
    }

    @Test("A slow stream is disconnected, others are not")
    func disconnect() async throws {
        try await with(.disconnect(above: 2000)) { broadcast, channel in
            let slow = try await channel.serverStream(Self.watch, Text("slow"))
            let fast = try await channel.serverStream(Self.watch, Text("fast"))
            await joined(broadcast, 2)
            var iterator = fast.makeAsyncIterator()
            var sent: Int64 = 0
            // More than the window and what may wait take.
            while broadcast.streamCount == 2 {
                for number in sent..<(sent + 500) { try broadcast.send(Number(number << 40)) }
                for number in sent..<(sent + 500) {
                    #expect(try await iterator.next()?.value == number << 40)
                }
                sent += 500
            }
            let error = await #expect(throws: RPCError.self) { for try await _ in slow {} }
            #expect(error?.code == .resourceExhausted)
            try broadcast.send(Number(sent))
            #expect(try await iterator.next()?.value == sent)
            broadcast.finish(throwing: RPCError(.unavailable, "over"))
            let end = await #expect(throws: RPCError.self) { _ = try await iterator.next() }
            #expect(end?.code == .unavailable)
        }
    }

    @Test("A stream beyond the limit, and one after the end, end at once")
    func limits() async throws {
        try await with(.latestOnly, maxStreams: 1) { broadcast, channel in
            let first = try await channel.serverStream(Self.watch, Text(""))
            await joined(broadcast, 1)
            let error = await #expect(throws: RPCError.self) {
                for try await _ in try await channel.serverStream(Self.watch, Text("")) {}
            }
            #expect(error?.code == .resourceExhausted)
            broadcast.finish()
            for try await _ in first {}
            for try await _ in try await channel.serverStream(Self.watch, Text("")) {}
        }
    }
}
