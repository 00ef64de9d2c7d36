import RocketBase
import RocketCodec
import RocketSystem
import RocketTCP
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

    /// Subscribes, writes 0 when its gate opens, then sends what was broadcast meanwhile.
    struct LateService: RPCService {
        static var serviceName: String { Service.serviceName }
        let broadcast: RPCBroadcast<Number>
        let gate = Gate()

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(serverStreaming: watch) { _, responses, _ in
                let subscription = try broadcast.subscribe(responses)
                await gate.wait()
                try await responses.write(Number(0))
                try await subscription.send()
            }
        }

        /// What is broadcast has no end.
        func serverDrains() { broadcast.finish(throwing: RPCError(.unavailable, "draining")) }
    }

    @Test("A subscription keeps what is broadcast until it is sent")
    func subscription() async throws {
        let service = LateService(broadcast: RPCBroadcast(for: Self.watch))
        try await TransportKind.loopback.withChannel(
            to: [service], configuration: .patient
        ) { channel in
            let stream = try await channel.serverStream(Self.watch, Text(""))
            await joined(service.broadcast, 1)
            for number in 1...3 { try service.broadcast.send(Number(Int64(number))) }
            service.gate.open()
            var iterator = stream.makeAsyncIterator()
            for number in 0...3 { #expect(try await iterator.next()?.value == Int64(number)) }
        }
        #expect(service.broadcast.streamCount == 0)
    }

    @Test("A service learns that its server drains, and ends what would not end")
    func drain() async throws {
        let service = LateService(broadcast: RPCBroadcast(for: Self.watch))
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configuration.drainTimeout = .seconds(600)
        let server = try RPCServer(configuration: configuration, services: [service])
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        let channel = try RPCChannel(to: address, configuration: .patient)
        let stream = try await channel.serverStream(Self.watch, Text(""))
        await joined(service.broadcast, 1)
        service.gate.open()
        var iterator = stream.makeAsyncIterator()
        #expect(try await iterator.next()?.value == 0)
        server.beginDrain()
        let error = await #expect(throws: RPCError.self) { _ = try await iterator.next() }
        #expect(error?.code == .unavailable)
        channel.close()
        try await running.value
    }

    final class SharedWriters: Sendable {
        let all = Locked<[RPCWriter<Number>]>([])
    }

    struct Observer: RPCCallObserver {
        let seen: Seen

        func callBegan(_ call: RPCController) -> (@Sendable (RPCCallEnding) -> Void)? {
            let method = call.method
            return { seen.add("\(method): \($0.code.name)") }
        }
    }

    @Test("An observer, such as the log, is told of streaming calls")
    func observed() async throws {
        let broadcast = RPCBroadcast(for: Self.watch)
        let seen = Seen()
        try await withServer(
            [Service(broadcast: broadcast)], interceptors: [Observer(seen: seen)]
        ) { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            broadcast.finish(throwing: RPCError(.notFound, "over"))
            await #expect(throws: RPCError.self) {
                for try await _ in try await channel.serverStream(Self.watch, Text("")) {}
            }
            #expect(await seen.first == "test.v1.Broadcast.watch: NOT_FOUND")
            channel.close()
        }
    }

    /// Writes without an end.
    struct EndlessService: RPCService {
        static var serviceName: String { Service.serviceName }
        let writers = SharedWriters()
        let written = Counter()

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(serverStreaming: watch) { _, responses, _ in
                writers.all.withLock { $0.append(responses) }
                while true {
                    try await responses.write(Number(1))
                    written.add()
                }
            }
        }
    }

    @Test("A writer that waits for its reader fails at once")
    func failedWriter() async throws {
        let service = EndlessService()
        try await TransportKind.loopback.withChannel(
            to: [service], configuration: .patient
        ) { channel in
            let stream = try await channel.serverStream(Self.watch, Text(""))
            while service.written.count == 0 { await Task.yield() }
            _ = await service.written.settled()
            // Not UNAVAILABLE: a call that ends with that before its first message is made again.
            service.writers.all.withLock { $0.first }?.fail(RPCError(.notFound, "enough"))
            let error = await #expect(throws: RPCError.self) { for try await _ in stream {} }
            #expect(error?.code == .notFound)
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
