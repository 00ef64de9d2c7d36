import OrderProtos
import RocketReactor
import RocketRPC
import RocketSystem
import SwiftProtobuf

/// Load from Rocket's own client: every connection a channel of its own, every call in flight a
/// task of its own, all on one loop.
struct BenchLoad: Sendable {
    let address: NetAddress
    let connections: Int
    let inFlight: Int
    let duration: Duration
    /// Open loop at so many calls a second; nil: closed loop.
    let callsPerSecond: Double?
    /// So many calls in all and no warm-up, in place of `duration`.
    var calls: Int?
    let payloadBytes: Int?
    /// Of the calls, those that have price 5.
    let slowPercent: Double
    /// Whose processor time is counted.
    let serverProcess: Int32?
    /// Whether the report tells every latency. It takes an allocation for each, which whoever
    /// counts those of calls does not want to see.
    var hasHistogram = true

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

    private func client(on loop: EventLoop) throws -> OrderClient {
        var configuration = RPCChannelConfiguration()
        configuration.timeout = .seconds(10)
        configuration.codec = BenchLimits.codec(payloadBytes: payloadBytes)
        return OrderClient(try RPCChannel(to: address, configuration: configuration, loop: loop))
    }

    private func measure(
        _ clients: [OrderClient], _ request: MakeOrderRequest, for duration: Duration,
        on loop: EventLoop
    ) async throws -> BenchReport {
        let usage = ProcessorTime(serverProcess: serverProcess)
        let began = SystemTimeSource().monotonic()
        let desk = await Task(executorPreference: loop) {
            loop.withReactor { reactor in
                LoopBound(
                    BenchOrderLogic(
                        pace: RateSchedule(
                            callsPerSecond: callsPerSecond, calls: calls, for: duration,
                            on: reactor),
                        slowPercent: slowPercent), on: reactor)
            }
        }.value
        try await withThrowingTaskGroup { group in
            for client in clients {
                for _ in 0..<inFlight {
                    group.addTask(executorPreference: loop) {
                        try await call(client, request, desk)
                    }
                }
            }
            try await group.waitForAll()
        }
        let elapsed = SystemTimeSource().monotonic() - began
        let spent = usage.spent()
        return await Task(executorPreference: loop) {
            BenchReport(
                desk.get().latencies, calls: desk.get().calls, elapsed, spent,
                hasHistogram: hasHistogram)
        }.value
    }

    /// Not `String(repeating:count:)`, which appends one at a time.
    private func goods(_ count: Int) -> String {
        String(decoding: [UInt8](repeating: UInt8(ascii: "a"), count: count), as: UTF8.self)
    }

    /// One caller, until there are no calls left.
    private func call(
        _ client: OrderClient, _ request: MakeOrderRequest, _ bound: LoopBound<BenchOrderLogic>
    ) async throws {
        let time = SystemTimeSource()
        let desk = bound.get()
        // The end of one call is the beginning of the next: one look at the clock for both.
        var now = time.monotonic()
        while let due = desk.pace.isPaced ? await desk.pace.nextPaced() : desk.pace.next(now) {
            let isSlow = desk.nextIsSlow()
            let reply = try await client.makeOrder(isSlow ? slow(request) : request)
            guard reply.resInfo == "OK" else {
                throw RPCError(.failedDeserialize, "a reply without res_info OK")
            }
            now = time.monotonic()
            desk.record(due, now, isSlow)
        }
    }

    private func slow(_ request: MakeOrderRequest) -> MakeOrderRequest {
        var request = request
        request.price = 5
        return request
    }
}
