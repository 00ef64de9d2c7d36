public import RocketBase
import RocketCodec
import RocketGRPC
import RocketReactor
public import RocketRPC
import RocketSystem
import RocketTCP
public import ServiceLifecycle
import SwiftProtobuf
import Synchronization

/// Exports the spans of its `tracer` to a collector, by OpenTelemetry's protocol over gRPC: in batches, a
/// bounded number of them, and without any call waiting for it.
///
/// A ServiceLifecycle `Service`: stands before its server in a list of services, so that it exports what
/// is left when that has drained. Its spans are dropped, and counted, unless it runs. Any thread.
public final class OTLPExporter: Service {
    /// Makes the spans.
    public let tracer: OTLPTracer
    /// The channel to the collector.
    public let channel: RPCChannel
    private let configuration: OTLPConfiguration
    private let resource: OTLPResource
    private let buffer: SpanBuffer
    private let logger: RocketLogger
    /// The attempt that is under way.
    private let attempt = Locked<RPCController?>(nil)

    static let wire = RPCChannelProtocol.grpc()

    /// Creates an exporter that has nothing to export yet. It connects with the first export.
    ///
    /// - Parameter logger: receives at WARN why the collector does not take spans, once until it does
    ///   again, which is at INFO.
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for an endpoint that can't be used, CHANNEL_INIT when
    ///   the channel's thread can't be started.
    public convenience init(
        _ configuration: OTLPConfiguration, logger: RocketLogger = .disabled
    ) throws(RPCError) {
        var random = SystemRandomNumberGenerator()
        try self.init(configuration, logger: logger, using: &random)
    }

    init(
        _ configuration: OTLPConfiguration, logger: RocketLogger,
        using random: inout some RandomNumberGenerator
    ) throws(RPCError) {
        self.configuration = configuration
        self.logger = logger
        var settings = RPCChannelConfiguration()
        settings.protocol = Self.wire
        settings.security = configuration.security
        settings.timeout = configuration.timeout
        settings.connectTimeout = min(configuration.timeout, .seconds(5))
        // The schedule of the exporter repeats exports.
        settings.retry = .never
        channel = try RPCChannel(
            to: configuration.endpoint, resolvers: configuration.resolvers, configuration: settings,
            logger: logger)
        buffer = SpanBuffer(queue: configuration.queue, batch: configuration.batch)
        resource = .with { resource in
            resource.attributes = configuration.resource.sorted { $0.key < $1.key }.map {
                OTLPKeyValue($0.key, $0.value)
            }
        }
        tracer = OTLPTracer(
            buffer, TraceSampler(callsPerTrace: configuration.callsPerTrace),
            TraceIDs(using: &random))
    }

    /// What has become of the spans so far.
    public var statistics: OTLPStatistics { buffer.statistics }

    /// Exports until the program shuts down, then what is left, for `drainTimeout` at most. A cancelled
    /// task exports nothing more.
    public func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                await export()
            } onCancel: {
                attempt.withLock { $0 }?.cancel()
            }
        } onGracefulShutdown: { [self] in
            buffer.shutDown()
            // An attempt that is under way may take its own time-out otherwise.
            channel.loop.schedule(after: configuration.drainTimeout, label: "trace export") { _ in
                self.attempt.withLock { $0 }?.cancel()
            }
        }
        buffer.close()
        channel.close()
        // The page, which has the counts, has ended or is about to.
        let statistics = statistics
        if statistics.droppedSpans + statistics.failedSpans > 0 {
            logger.warn("spans were lost") {
                $0.add("dropped", Int(clamping: statistics.droppedSpans))
                $0.add("failed", Int(clamping: statistics.failedSpans))
            }
        }
    }

    private func export() async {
        var schedule = ExportSchedule(
            interval: configuration.interval, timeout: configuration.timeout,
            drainTimeout: configuration.drainTimeout, backOff: configuration.backOff)
        // determinism: the back-off of a service of the process, which no call depends on
        var random = SystemRandomNumberGenerator()
        var batch: [OTLPSpan] = []
        var failing = FailureLog()
        while !Task.isCancelled {
            let isShutDown = buffer.isShutDown
            if isShutDown { schedule.shutDown(at: now) }
            let queue = buffer.queue
            let timeout: Duration
            switch schedule.next(queue, at: now) {
            case .wait(let until):
                await wait(until: until, while: queue, isShutDown)
                continue
            case .export(let limit):
                batch = buffer.take()
                timeout = limit
            case .retry(let limit): timeout = limit
            case .end:
                return lose(batch)
            }
            let outcome = await send(batch, within: timeout, &failing)
            if !schedule.ended(outcome, at: now, using: &random) {
                if case .failed = outcome { lose(batch) }
                batch = []
            }
        }
        lose(batch)
    }

    private var now: MonotonicTime { channel.loop.time.monotonic() }

    private func lose(_ batch: [OTLPSpan]) {
        buffer.count { $0.failedSpans += UInt64(batch.count) }
    }

    private func wait(
        until time: MonotonicTime?, while known: ExportSchedule.Queue, _ isShutDown: Bool
    ) async {
        let isOver = TimeIsOver()
        let timer = time.map { time in
            channel.loop.schedule(
                after: max(.zero, time - now), label: "trace export"
            ) { [buffer] _ in
                isOver.flag.store(true, ordering: .releasing)
                buffer.wake()
            }
        }
        await buffer.wait(while: known, isShutDown: isShutDown) {
            isOver.flag.load(ordering: .acquiring)
        }
        timer?.cancel()
    }

    private func send(
        _ batch: [OTLPSpan], within timeout: Duration, _ failing: inout FailureLog
    ) async -> ExportSchedule.Outcome {
        let request = OTLPExportTraceServiceRequest.with { request in
            request.resourceSpans = [
                .with {
                    $0.resource = resource
                    $0.scopeSpans = [
                        .with {
                            $0.scope.name = "rocket"
                            $0.spans = batch
                        }
                    ]
                }
            ]
        }
        let call = RPCController(
            timeout: timeout, metadata: configuration.headers, options: .independent)
        attempt.withLock { $0 = call }
        defer { attempt.withLock { $0 = nil } }
        do throws(RPCError) {
            let response = try await OTLPTraceServiceClient(channel).export(request, call)
            accepted(batch.count, response.partialSuccess, &failing)
            return .accepted
        } catch {
            let outcome = ExportSchedule.Outcome(error)
            buffer.count { statistics in
                statistics.failedExports += 1
                statistics.failure = error.description.limited
                if outcome == .refused { statistics.rejectedSpans += UInt64(batch.count) }
            }
            failing.failed(error.description, buffer.statistics, logger)
            return outcome
        }
    }

    private func accepted(
        _ count: Int, _ partial: OTLPExportTracePartialSuccess, _ failing: inout FailureLog
    ) {
        let rejected = min(count, Int(clamping: max(0, partial.rejectedSpans)))
        buffer.count { statistics in
            statistics.exports += 1
            statistics.exportedSpans += UInt64(count - rejected)
            statistics.rejectedSpans += UInt64(rejected)
            statistics.failure = rejected > 0 ? partial.errorMessage.limited : nil
        }
        if rejected > 0 || !partial.errorMessage.isEmpty {
            failing.failed(
                "\(rejected) spans rejected: \(partial.errorMessage.limited)", buffer.statistics,
                logger)
        } else {
            failing.succeeded(buffer.statistics, logger)
        }
    }
}

private final class TimeIsOver: Sendable {
    let flag = Atomic(false)
}

/// Logs why exports fail: once, until one succeeds. A value.
private struct FailureLog {
    private var isFailing = false

    mutating func failed(_ reason: String, _ statistics: OTLPStatistics, _ logger: RocketLogger) {
        if isFailing { return }
        isFailing = true
        logger.warn("spans are not exported") {
            $0.add("error", reason)
            $0.add("waiting", statistics.waitingSpans)
        }
    }

    mutating func succeeded(_ statistics: OTLPStatistics, _ logger: RocketLogger) {
        guard isFailing else { return }
        isFailing = false
        logger.info("spans are exported again") {
            $0.add("dropped", Int(clamping: statistics.droppedSpans))
            $0.add("failed", Int(clamping: statistics.failedSpans))
            $0.add("rejected", Int(clamping: statistics.rejectedSpans))
        }
    }
}
