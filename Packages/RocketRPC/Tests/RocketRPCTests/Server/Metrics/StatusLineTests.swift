import RocketBaseTestKit
import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// The status line that is sent to the service manager.
@Suite("Status line")
struct StatusLineTests {
    let sleeper = SleepingService()
    var clock: ManualTimeSource { sleeper.clock }

    private func with(_ body: (ServerMetrics, ServerScene.Client) throws -> Void) throws {
        try ServerScene.with([sleeper], clock: clock, metrics: .init()) { scene, clients in
            try body(#require(scene.metrics), clients[0])
        }
    }

    private func sleep(_ client: ServerScene.Client, _ microseconds: Int64) throws {
        let payload: [UInt8] = try Number(microseconds).serializedBytes()
        try client.call("test.v1.Sleeper.sleep", id: "1", payload: payload)
    }

    @Test("A status line shows rate, p99 and calls in flight since the last line")
    func line() throws {
        try with { metrics, client in
            let lines = StatusLines(metrics: metrics, time: clock)
            for _ in 0..<100 { try sleep(client, 10_000) }
            clock.advance(by: .seconds(1))
            let busy = "50 calls/s, 0 in flight, p99 10.5 ms, 3 connections"
            #expect(lines.next(connections: 3) == busy)
            clock.advance(by: .seconds(1))
            #expect(
                lines.next(connections: 0) == "0 calls/s, 0 in flight, p99 -, 0 connections")
        }
    }

    @Test("A status line shows refused calls and an overload while there are any")
    func refusals() throws {
        try with { metrics, _ in
            let statistics = Locked(RPCServerStatistics())
            let lines = StatusLines(metrics: metrics, time: clock) {
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
    }

    @Test("Durations below 1 ms have three decimals", arguments: [(7, "0.007"), (500, "0.524")])
    func shortDurations(microseconds: Int64, text: String) throws {
        try with { metrics, client in
            let lines = StatusLines(metrics: metrics, time: clock)
            try sleep(client, microseconds)
            let line = lines.next(connections: 1)
            #expect(line.contains("p99 \(text) ms"), "\(line)")
        }
    }
}
