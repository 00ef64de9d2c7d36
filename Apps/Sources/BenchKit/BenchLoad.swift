import OrderProtos
import RocketBase
import RocketRPC
import RocketReactor
import RocketSystem
import RocketTCP
import SwiftProtobuf

/// A load by Rocket's client: one channel per connection and one task per call in flight, all on
/// one loop.
struct BenchLoad: Sendable {
    let address: NetAddress
    let connections: Int
    let inFlight: Int
    let duration: Duration
    /// The rate of an open loop; nil: closed loop.
    let callsPerSecond: Double?
    /// The number of calls in all, without a warm-up, instead of `duration`.
    var calls: Int?
    let payloadBytes: Int?
    /// The percentage of calls with price 5.
    let slowPercent: Double
    /// The process whose processor time is measured.
    let serverProcess: Int32?
    /// The wire of the calls.
    var wire = BenchWire.tinypb
    /// What protects the connections; nil: nothing.
    var security: (any ClientTransportSecurity)?
    /// Whether the report contains every latency. That takes an allocation each, which would
    /// disturb the count of allocations per call.
    var hasHistogram = true
    /// How many calls a caller of a closed loop makes at once, as one batch.
    var batch = 1

    /// Warms up for a fifth of the time, then measures.
    func run() async throws -> BenchReport {
        let thread = try IOThread(name: "rocket-bench")
        defer { thread.stopUnattended() }
        let clients = try (0..<connections).map { _ in try client(on: thread.loop) }
        let request = MakeOrderRequest.with {
            $0.price = 100
            $0.goods = payloadBytes.map(goods) ?? "apple"
        }
        if calls == nil {
            _ = try await measure(clients, request, for: duration / 5, on: thread.loop)
        }
        return try await measure(clients, request, for: duration, on: thread.loop)
    }

    /// Long: the server of a benchmark is busy, and so may its machine be.
    static let connectTimeout = Duration.seconds(60)

    private func client(on loop: EventLoop) throws -> OrderClient {
        var configuration = RPCChannelConfiguration()
        configuration.connectTimeout = Self.connectTimeout
        configuration.timeout = .seconds(10)
        configuration.codec = BenchLimits.codec(payloadBytes: payloadBytes)
        configuration.security = security
        configuration.protocol = wire.channelProtocol
        return OrderClient(try RPCChannel(to: address, configuration: configuration, loop: loop))
    }

    private func measure(
        _ clients: [OrderClient], _ request: MakeOrderRequest, for duration: Duration,
        on loop: EventLoop
    ) async throws -> BenchReport {
        let usage = ProcessorTime(serverProcess: serverProcess)
        let began = SystemTimeSource().monotonic()
        let measurement = await Task(executorPreference: loop) {
            loop.withReactor { reactor in
                LoopBound(
                    LoadMeasurement(
                        schedule: RateSchedule(
                            callsPerSecond: callsPerSecond, calls: calls, for: duration,
                            on: reactor),
                        slowPercent: slowPercent), on: reactor)
            }
        }.value
        try await withThrowingTaskGroup { group in
            for client in clients {
                for _ in 0..<inFlight {
                    group.addTask(executorPreference: loop) {
                        if batch > 1 {
                            try await callBatches(client, request, measurement)
                        } else {
                            try await call(client, request, measurement)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let elapsed = SystemTimeSource().monotonic() - began
        let spent = usage.spent()
        return await Task(executorPreference: loop) {
            BenchReport(
                measurement.get().latencies, calls: measurement.get().calls, elapsed, spent,
                hasHistogram: hasHistogram)
        }.value
    }

    /// Faster than `String(repeating:count:)`, which appends one character at a time.
    private func goods(_ count: Int) -> String {
        String(decoding: [UInt8](repeating: UInt8(ascii: "a"), count: count), as: UTF8.self)
    }

    /// Makes one call after the other until the schedule has none left.
    private func call(
        _ client: OrderClient, _ request: MakeOrderRequest, _ bound: LoopBound<LoadMeasurement>
    ) async throws {
        let time = SystemTimeSource()
        let measurement = bound.get()
        let schedule = measurement.schedule
        // The end of one call is the beginning of the next: the clock is read once for both.
        var now = time.monotonic()
        while let due = schedule.isOpenLoop ? await schedule.nextDue() : schedule.next(now) {
            let isSlow = measurement.nextIsSlow()
            let reply = try await client.makeOrder(isSlow ? slow(request) : request)
            guard reply.resInfo == "OK" else {
                throw RPCError(.failedDeserialize, "a reply without res_info OK")
            }
            now = time.monotonic()
            measurement.record(due, now, isSlow)
        }
    }

    /// Makes one batch of calls after the other. The latency of each call is that of its batch.
    private func callBatches(
        _ client: OrderClient, _ request: MakeOrderRequest, _ bound: LoopBound<LoadMeasurement>
    ) async throws {
        let time = SystemTimeSource()
        let measurement = bound.get()
        var requests: [MakeOrderRequest] = []
        var now = time.monotonic()
        while true {
            let due = now
            let count = measurement.schedule.next(due, atMost: batch)
            if count == 0 { return }
            // Changed where it differs from the last batch, as by slow calls.
            requests.removeLast(max(0, requests.count - count))
            for index in 0..<count {
                let price: Int32 = measurement.nextIsSlow() ? Self.slowPrice : request.price
                if index == requests.count { requests.append(request) }
                if requests[index].price != price { requests[index].price = price }
            }
            let replies = await client.channel.call(OrderMethods.makeOrder, each: requests)
            now = time.monotonic()
            for index in replies.indices {
                guard try replies[index].get().resInfo == "OK" else {
                    throw RPCError(.failedDeserialize, "a reply without res_info OK")
                }
                measurement.record(due, now, requests[index].price == Self.slowPrice)
            }
        }
    }

    /// What the server answers slowly.
    private static let slowPrice: Int32 = 5

    private func slow(_ request: MakeOrderRequest) -> MakeOrderRequest {
        var request = request
        request.price = Self.slowPrice
        return request
    }
}
