import OrderStoring
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
        monitor.observe(.closedUnanswered(orders: 9))
        #expect(health.status() == .serving)

        logs.flush()
        let lines = sink.lines
        #expect(lines.count == 4)
        #expect(lines[0].contains("ERROR") && lines[0].contains("order store can't write"))
        #expect(lines[0].contains("disk I/O error"))
        #expect(lines[1].contains("failed_transactions=3") && lines[1].contains("failed_orders=7"))
        #expect(lines[2].contains("calls=5"))
        #expect(lines[3].contains("ERROR") && lines[3].contains("without an answer"))
        #expect(lines[3].contains("orders=9"))
    }

    @Test("The status of the service tells of an outage, as long as it lasts")
    func status() {
        let monitor = OrderStoreMonitor(logger: .disabled)
        #expect(monitor.status() == nil)
        monitor.observe(.writesFail(.diskFull))
        #expect(monitor.status() == "orders are not stored: the disk is full")
        monitor.observe(.writesFail(.filesLost("orders.sqlite was deleted")))
        #expect(monitor.status() == "orders are not stored: orders.sqlite was deleted")
        monitor.observe(.writesRecovered(transactions: 1, orders: 1))
        #expect(monitor.status() == nil)
    }

    @Test("What the store has removed or could not remove is logged with counts and file")
    func retention() throws {
        let sink = LineSink()
        var configuration = LogConfiguration()
        configuration.outputs = []
        let logs = try LogSystem(configuration, sinks: [sink])
        let monitor = OrderStoreMonitor(logs: logs)
        monitor.observe(.ordersArchived(7, file: "/a/orders-202601.sqlite"))
        monitor.observe(.ordersDeleted(8))
        monitor.observe(.archiveFails("the disk is full"))
        monitor.observe(.migrated(from: 2, to: 3, backup: "/v2"))
        logs.flush()
        let lines = sink.lines
        logs.shutdown()
        #expect(lines[0].contains("INFO") && lines[0].contains("orders archived orders=7 file=/a/"))
        #expect(lines[1].contains("orders deleted orders=8"))
        #expect(lines[2].contains("ERROR") && lines[2].contains("the disk is full"))
        #expect(lines[3].contains("order store migrated from=2 to=3 backup=/v2"))
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
