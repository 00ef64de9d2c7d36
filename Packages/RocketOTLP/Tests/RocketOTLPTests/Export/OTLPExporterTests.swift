import RocketBase
import RocketBaseTestKit
import RocketCodec
import RocketRPC
import RocketSystem
import RocketTCP
import ServiceLifecycleTestKit
import SwiftProtobuf
import Testing
import Tracing

@testable import RocketOTLP

struct OTLPExporterTests {
    private func end(_ count: Int, of exporter: OTLPExporter) {
        for number in 0..<count {
            exporter.tracer.startSpan("span \(number)", context: .topLevel).end()
        }
    }

    /// Runs an exporter, and ends it as a drain does.
    private func running(
        _ exporter: OTLPExporter, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await testGracefulShutdown { trigger in
            async let run: Void = exporter.run()
            try await body()
            trigger.triggerGracefulShutdown()
            try await run
        }
    }

    @Test("Spans are exported in batches, with resource and headers")
    func batches() async throws {
        let collector = Collector()
        try await serving([collector]) { address in
            var configuration = OTLPConfiguration.test(address, service: "shop")
            configuration.batch = 10
            configuration.headers["x-key"] = "secret"
            let exporter = try OTLPExporter(configuration)
            end(25, of: exporter)
            try await running(exporter) { await collector.hasTaken(25) }
            #expect(collector.sizes == [10, 10, 5])
            #expect(collector.spans.map(\.span.name) == (0..<25).map { "span \($0)" })
            #expect(collector.spans.allSatisfy { $0.service == "shop" })
            #expect(collector.metadata.allSatisfy { $0["x-key"] == "secret" })
            #expect(Set(collector.spans.map(\.span.spanID)).count == 25)
            let statistics = exporter.statistics
            #expect((statistics.exportedSpans, statistics.exports) == (25, 3))
            #expect(statistics.failure == nil)
            #expect(statistics.waitingSpans == 0)
        }
    }

    @Test("A drain exports what is left, and what comes later is dropped")
    func drain() async throws {
        let collector = Collector()
        try await serving([collector]) { address in
            var configuration = OTLPConfiguration.test(address)
            configuration.interval = .seconds(3600)
            configuration.batch = 1000
            let exporter = try OTLPExporter(configuration)
            let end = end
            try await running(exporter) { end(30, exporter) }
            #expect(collector.sizes == [30])
            end(2, exporter)
            #expect(exporter.statistics.droppedSpans == 2)
            #expect(exporter.statistics.exportedSpans == 30)
        }
    }

    @Test("A request to flush exports before the interval is over")
    func flush() async throws {
        let collector = Collector()
        try await serving([collector]) { address in
            var configuration = OTLPConfiguration.test(address)
            configuration.interval = .seconds(3600)
            let exporter = try OTLPExporter(configuration)
            end(1, of: exporter)
            exporter.tracer.forceFlush()
            try await running(exporter) { await collector.hasTaken(1) }
            #expect(collector.sizes == [1])
        }
    }

    @Test("A collector that hangs is left after the limit of the drain, and the loss is logged")
    func hanging() async throws {
        let lines = try LogLines()
        let collector = Collector(Array(repeating: .never, count: 100))
        try await serving([collector]) { address in
            var configuration = OTLPConfiguration.test(address)
            configuration.timeout = .seconds(3600)
            configuration.drainTimeout = .milliseconds(20)
            let exporter = try OTLPExporter(configuration, logger: lines.logger)
            end(3, of: exporter)
            try await running(exporter) { await collector.wasCalled(1) }
            #expect(exporter.statistics.failedSpans == 3)
            #expect(exporter.statistics.exportedSpans == 0)
        }
        #expect(lines.end().contains { $0.contains("spans were lost") })
    }

    @Test("A collector that comes up late takes what the queue has kept")
    func late() async throws {
        let address = try NetAddress(
            parsing: "unix:@rocket-otlp-\(SystemRandomNumberGenerator.name())")
        var configuration = OTLPConfiguration.test(address)
        configuration.queue = 10
        configuration.batch = 5
        let lines = try LogLines()
        let exporter = try OTLPExporter(configuration, logger: lines.logger)
        end(12, of: exporter)
        #expect(exporter.statistics.droppedSpans == 2)
        #expect(exporter.statistics.waitingSpans == 10)
        try await running(exporter) {
            let collector = Collector()
            try await serving([collector], at: address) { _ in
                await collector.hasTaken(10)
            }
            #expect(collector.sizes == [5, 5])
        }
        #expect(exporter.statistics.exportedSpans == 10)
        #expect(exporter.statistics.failedSpans == 0)
        let text = lines.end()
        #expect(text.count { $0 == "spans are not exported" } <= 1)
    }

    @Test("What a collector refuses is counted: a part, or all of an export")
    func refusals() async throws {
        var partial = OTLPExportTraceServiceResponse()
        partial.partialSuccess.rejectedSpans = 2
        partial.partialSuccess.errorMessage = "too old"
        let collector = Collector([
            .response(partial), .error(RPCError(.invalidArgument, "no")),
            .error(RPCError(.unavailable, "later")), .error(RPCError(.resourceExhausted, "")),
        ])
        try await serving([collector]) { address in
            var configuration = OTLPConfiguration.test(address)
            configuration.batch = 5
            let lines = try LogLines()
            let exporter = try OTLPExporter(configuration, logger: lines.logger)
            end(20, of: exporter)
            try await running(exporter) { await collector.hasTaken(10) }
            let statistics = exporter.statistics
            // 3 and 5 are taken, 2, 5 and 5 refused; the second group is not, after a retry.
            #expect(statistics.exportedSpans == 8)
            #expect(statistics.rejectedSpans == 12)
            #expect(statistics.exports == 2)
            #expect(statistics.failedExports == 3)
            #expect(collector.sizes == [5, 5])
            #expect(
                lines.end().filter { $0.hasPrefix("spans") }
                    == ["spans are not exported", "spans are exported again"])
        }
    }

    @Test("A cancelled exporter ends at once")
    func cancelled() async throws {
        let collector = Collector([.never])
        try await serving([collector]) { address in
            let exporter = try OTLPExporter(.test(address))
            end(1, of: exporter)
            let run = Task { try await exporter.run() }
            await collector.wasCalled(1)
            run.cancel()
            try await run.value
            #expect(exporter.statistics.failedSpans == 1)
        }
    }

    @Test("Attempts that are cut off are repeated")
    func timeouts() async throws {
        let collector = Collector([.never, .never])
        try await serving([collector]) { address in
            var configuration = OTLPConfiguration.test(address)
            configuration.timeout = .milliseconds(20)
            let exporter = try OTLPExporter(configuration)
            end(1, of: exporter)
            // The last one may take longer than 20 ms on a busy machine, and is repeated, too.
            try await running(exporter) { await collector.hasTaken(1) }
            #expect(exporter.statistics.failedExports >= 2)
        }
    }
}
