import FoundationEssentials
import Histogram
import RocketBase
import RocketProgram
import RocketRPC
import RocketReactor
import RocketSystem
import RocketTCP
import SwiftProtobuf

/// A load of streams by Rocket's client: one channel per connection and one task per stream, all on
/// one loop.
struct StreamLoad: Sendable {
    let address: NetAddress
    let wire: BenchWire
    let kind: BenchKind
    let connections: Int
    /// On each connection.
    let streams: Int
    let duration: Duration
    /// Of the body of each message.
    let messageBytes: Int
    /// The process whose processor time is measured.
    let serverProcess: Int32?

    /// Warms up for a fifth of the time with streams of their own, then measures. The report's calls
    /// are messages that were received; only `echo` has latencies.
    func run() async throws -> BenchReport {
        let thread = try IOThread(name: "rocket-bench")
        defer { thread.stopUnattended() }
        let clients = try makeClients(on: thread.loop)
        _ = try await measure(clients, for: duration / 5, on: thread.loop)
        return try await measure(clients, for: duration, on: thread.loop)
    }

    /// Opens all streams, calls `whileOpen`, and ends them.
    func hold(_ whileOpen: () -> Void) async throws {
        let thread = try IOThread(name: "rocket-bench")
        defer { thread.stopUnattended() }
        let message = BenchMessage.ofBytes(messageBytes)
        var calls: [RPCStreamCall<BenchMessage, BenchMessage>] = []
        for client in try makeClients(on: thread.loop) {
            for _ in 0..<streams {
                let call = try await client.echo()
                try await call.requests.write(message)
                var responses = call.responses.makeAsyncIterator()
                _ = try await responses.next()
                calls.append(call)
            }
        }
        whileOpen()
        for call in calls { call.cancel() }
    }

    private func makeClients(on loop: EventLoop) throws -> [BenchStreamsClient] {
        var configuration = RPCChannelConfiguration()
        configuration.protocol = wire.channelProtocol
        configuration.connectTimeout = BenchLoad.connectTimeout
        return try (0..<connections).map { _ in
            BenchStreamsClient(
                try RPCChannel(to: address, configuration: configuration, loop: loop))
        }
    }

    private func measure(
        _ clients: [BenchStreamsClient], for duration: Duration, on loop: EventLoop
    ) async throws -> BenchReport {
        let usage = ProcessorTime(serverProcess: serverProcess)
        let began = SystemTimeSource().monotonic()
        let end = began + duration
        let measurement = await Task(executorPreference: loop) {
            loop.withReactor { reactor in
                LoopBound(
                    LoadMeasurement(
                        schedule: RateSchedule(for: duration, on: reactor), slowPercent: 0),
                    on: reactor)
            }
        }.value
        let messages = try await withThrowingTaskGroup(of: Int.self) { group in
            for client in clients {
                for _ in 0..<streams {
                    group.addTask(executorPreference: loop) {
                        try await stream(client, until: end, measurement)
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        let elapsed = SystemTimeSource().monotonic() - began
        let spent = usage.spent()
        return await Task(executorPreference: loop) {
            BenchReport(
                measurement.get().latencies, calls: messages, slowCalls: 0, elapsed, spent,
                hasHistogram: false)
        }.value
    }

    /// Returns how many messages were received.
    private func stream(
        _ client: BenchStreamsClient, until end: MonotonicTime,
        _ measurement: LoopBound<LoadMeasurement>
    ) async throws -> Int {
        switch kind {
        case .send: try await send(client, until: end)
        case .receive: try await receive(client, until: end)
        default: try await echo(client, measurement)
        }
    }

    /// How many messages are sent or received between two looks at the clock.
    private static let batch = 16

    private func send(_ client: BenchStreamsClient, until end: MonotonicTime) async throws -> Int {
        let message = BenchMessage.ofBytes(messageBytes)
        let time = SystemTimeSource()
        let total = try await client.send { writer in
            repeat {
                for _ in 0..<Self.batch { try await writer.write(message) }
            } while time.monotonic() < end
        }
        return Int(total.messages)
    }

    private func receive(
        _ client: BenchStreamsClient, until end: MonotonicTime
    ) async throws -> Int {
        let time = SystemTimeSource()
        var count = 0
        let responses = try await client.receive(.with { $0.bytes = UInt32(messageBytes) })
        for try await response in responses {
            guard response.body.count == messageBytes else { throw Self.wrongMessage }
            count += 1
            if count % Self.batch == 0, time.monotonic() >= end { break }
        }
        return count
    }

    private func echo(
        _ client: BenchStreamsClient, _ bound: LoopBound<LoadMeasurement>
    ) async throws -> Int {
        let message = BenchMessage.ofBytes(messageBytes)
        let time = SystemTimeSource()
        let measurement = bound.get()
        let call = try await client.echo()
        var responses = call.responses.makeAsyncIterator()
        var count = 0
        var now = time.monotonic()
        while let began = measurement.schedule.next(now) {
            try await call.requests.write(message)
            let response = try await responses.next()
            guard response?.body.count == messageBytes else { throw Self.wrongMessage }
            now = time.monotonic()
            measurement.record(began, now, false)
            count += 1
        }
        call.finishRequests()
        return count
    }

    private static let wrongMessage = RPCError(
        .failedDeserialize, "a message of another length than that of the benchmark")
}
