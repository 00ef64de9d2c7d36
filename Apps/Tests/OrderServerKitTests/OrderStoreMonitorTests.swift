import OrderStore
import RocketBase
import RocketRPC
import RocketSystem
import Testing

@testable import OrderServerKit

struct OrderStoreMonitorTests {
    @Test("A store that can't write is logged once, and the health of the server follows it")
    func outage() throws {
        let sink = LineSink()
        var configuration = LogConfiguration()
        configuration.outputs = []
        let logs = try LogSystem(configuration, sinks: [sink])
        defer { logs.shutdown() }
        let health = RPCHealth(services: ["Order"])
        let monitor = OrderStoreMonitor(logs: logs)
        monitor.report(to: health)
        #expect(health.status() == .serving && health.status(of: "Order") == .serving)

        monitor.observe(.writesFail(.outcomeUnknown(reason: "disk I/O error")))
        #expect(health.status() == .notServing && health.status(of: "Order") == .notServing)
        monitor.observe(.writesRecovered(transactions: 3, orders: 7))
        #expect(health.status() == .serving && health.status(of: "Order") == .serving)
        monitor.observe(.readsFail(.readFailed(reason: "malformed"), since: 5))
        #expect(health.status() == .serving)

        logs.flush()
        let lines = sink.lines
        #expect(lines.count == 3)
        #expect(lines[0].contains("ERROR") && lines[0].contains("order store can't write"))
        #expect(lines[0].contains("disk I/O error"))
        #expect(lines[1].contains("failed_transactions=3") && lines[1].contains("failed_orders=7"))
        #expect(lines[2].contains("calls=5"))
    }

    @Test(
        "The lines of a disk that fails and recovers at a high rate are limited, lost files are not"
    )
    func flapping() throws {
        let sink = LineSink()
        var configuration = LogConfiguration()
        configuration.outputs = []
        configuration.throttleBudget = 3
        configuration.throttleInterval = .seconds(100_000)
        let logs = try LogSystem(configuration, sinks: [sink])
        let health = RPCHealth(services: ["Order"])
        let monitor = OrderStoreMonitor(logs: logs)
        monitor.report(to: health)
        for _ in 0..<100 {
            monitor.observe(.writesFail(.diskFull))
            #expect(health.status() == .notServing)
            monitor.observe(.writesRecovered(transactions: 1, orders: 1))
            #expect(health.status() == .serving)
        }
        monitor.observe(.writesFail(.filesLost("orders.sqlite was deleted")))
        logs.flush()
        let lines = sink.lines
        logs.shutdown()
        #expect(lines.count == 7)
        #expect(lines.last?.contains("orders.sqlite was deleted") == true)
    }

    @Test("A server that starts after its store has failed is not serving")
    func failedBefore() {
        let monitor = OrderStoreMonitor(logger: .disabled)
        monitor.observe(.writesFail(.diskFull))
        let health = RPCHealth(services: ["Order"])
        monitor.report(to: health)
        #expect(health.status() == .notServing)
    }
}

/// Keeps the lines of a log.
private final class LineSink: LogSink, Sendable {
    private let texts = Locked<[String]>([])

    var lines: [String] { texts.withLock { $0 } }
    let lostLines: UInt64 = 0

    func write(_ event: borrowing LogEvent) {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: event.formattedBound, alignment: 1)
        defer { memory.deallocate() }
        let length = event.format(.plain, into: memory)
        let text = String(decoding: memory[..<length], as: UTF8.self)
        texts.withLock { $0.append(text) }
    }

    func endBatch() -> LogSinkNotice? { nil }
}
