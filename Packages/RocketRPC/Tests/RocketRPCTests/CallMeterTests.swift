import RocketBaseTestKit
import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// The status line that is sent to the service manager.
@Suite("Status line")
struct CallMeterTests {
    let clock = ManualTimeSource()

    /// Advances the clock by the microseconds in its request.
    struct Sleeper: RPCService {
        static let serviceName = "test.v1.Sleeper"
        static let sleep = RPCMethod<Number, Number>(service: serviceName, name: "sleep")
        let clock: ManualTimeSource

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.sleep) { request, _ in
                clock.advance(by: .microseconds(request.value))
                return request
            }
        }
    }

    @Test("A status line shows rate, p99 and calls in flight since the last line")
    func line() async throws {
        let meter = CallMeter(time: clock)
        let lines = StatusLines(meter: meter, time: clock)
        let dispatcher = try RPCDispatcher(
            services: [Sleeper(clock: clock)], interceptors: [meter])
        let kit = FrameKit()
        for _ in 0..<100 {
            let payload: [UInt8] = try Number(10_000).serializedBytes()
            _ = await dispatcher.answer(try kit.frame("test.v1.Sleeper.sleep", payload: payload))
        }
        clock.advance(by: .seconds(1))
        #expect(lines.next(connections: 3) == "50 calls/s, 0 in flight, p99 10.2 ms, 3 connections")
        clock.advance(by: .seconds(1))
        #expect(lines.next(connections: 0) == "0 calls/s, 0 in flight, p99 -, 0 connections")
    }

    @Test("A status line shows refused calls and an overload while there are any")
    func refusals() {
        let statistics = Locked(RPCServerStatistics())
        let lines = StatusLines(meter: CallMeter(time: clock), time: clock) {
            statistics.withLock { $0 }
        }
        statistics.withLock {
            $0.refusedCalls = 5
            $0.overloadedLoops = 1
        }
        clock.advance(by: .seconds(2))
        let line = "0 calls/s, 0 in flight, p99 -, 1 connections"
        #expect(lines.next(connections: 1) == line + ", 3 refused/s, overloaded")
        statistics.withLock { $0.overloadedLoops = 0 }
        clock.advance(by: .seconds(2))
        #expect(lines.next(connections: 1) == line)
    }

    @Test("Durations below 1 ms have three decimals", arguments: [(7, "0.007"), (500, "0.511")])
    func shortDurations(microseconds: Int64, text: String) async throws {
        let meter = CallMeter(time: clock, shards: 1)
        let lines = StatusLines(meter: meter, time: clock)
        let dispatcher = try RPCDispatcher(
            services: [Sleeper(clock: clock)], interceptors: [meter])
        let payload: [UInt8] = try Number(microseconds).serializedBytes()
        _ = await dispatcher.answer(
            try FrameKit().frame("test.v1.Sleeper.sleep", payload: payload))
        #expect(lines.next(connections: 1).contains("p99 \(text) ms"))
    }
}
