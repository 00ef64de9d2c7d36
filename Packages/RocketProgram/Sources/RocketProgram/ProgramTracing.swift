import RocketAdmin
public import RocketBase
public import RocketOTLP
public import RocketRPC
import RocketRPCTracing
import RocketSystem
public import ServiceLifecycle
import Tracing

/// What traces a program by the element `trace` of its configuration: docs/guides/tracing.md. Nothing
/// does without its element `otlp`. Any thread.
///
///     let tracing = try daemon.tracing(config.trace, security: tls.provider)
///     let server = try RPCServer(…, interceptors: tracing.interceptors)
///     let next = try RPCChannel(…, interceptors: tracing.interceptors)
///     let admin = try daemon.admin(of: server, reload, channels: [next], tracing: tracing)
///     try await daemon.run([tls] + admin + tracing.services + [server], …)
public struct ProgramTracing: Sendable {
    /// Exports the spans; nil: nothing is traced.
    public let exporter: OTLPExporter?

    /// For servers and channels: make the spans of calls.
    public var interceptors: [any RPCInterceptor] {
        exporter.map { [RPCTracing(tracer: $0.tracer)] } ?? []
    }

    /// For `Daemon.run`, before the server.
    public var services: [any Service] { exporter.map { [$0] } ?? [] }

    /// What the page and `/metrics` show of it.
    var figures: (@Sendable () -> AdminTraces)? {
        guard let exporter else { return nil }
        return { AdminTraces(exporter) }
    }

    /// Checks the element as a start does: its endpoint and its file of headers, besides TLS. Reads
    /// that file.
    ///
    /// - Throws: `RPCError` for an endpoint or a file that can't be used.
    public static func check(_ config: TraceConfig) throws(RPCError) {
        var config = config
        config.otlp?.tls = nil
        guard let made = try OTLPConfiguration(config, program: "") else { return }
        try ProgramNames.check(RPCTarget(made.endpoint))
    }

    private static let isBootstrapped = Locked(false)

    /// Has swift-distributed-tracing use the tracer, unless the program has set one.
    fileprivate static func bootstrap(_ tracer: OTLPTracer) {
        isBootstrapped.withLock { isBootstrapped in
            if isBootstrapped || !(InstrumentationSystem.instrument is NoOpInstrument) { return }
            InstrumentationSystem.bootstrap(tracer)
            isBootstrapped = true
        }
    }
}

extension Daemon {
    /// Returns what traces the program. It bootstraps swift-distributed-tracing, if the program has not,
    /// so that its own spans are exported, too: bootstrap another back end before. Reads the file of
    /// headers.
    ///
    /// - Parameters:
    ///   - security: makes what protects the connection to the collector: `TLSReload.provider`.
    ///   - version: of the program.
    /// - Throws: `ProgramFailure` (configuration) for an endpoint, a file or TLS that can't be used.
    public func tracing(
        _ config: TraceConfig, security: (any TransportSecurityProvider)? = nil,
        version: String = RocketVersion.current
    ) throws(ProgramFailure) -> ProgramTracing {
        do throws(RPCError) {
            guard
                var configuration = try OTLPConfiguration(
                    config, program: name, version: version, security: security)
            else { return ProgramTracing(exporter: nil) }
            configuration.resolvers = ProgramNames.resolvers(logger: logs.app)
            configuration.resource["process.pid"] = String(CurrentProcess.processID)
            let exporter = try OTLPExporter(configuration, logger: logs.app)
            ProgramTracing.bootstrap(exporter.tracer)
            return ProgramTracing(exporter: exporter)
        } catch {
            throw ProgramFailure("trace/otlp: \(error)", status: .configuration)
        }
    }
}

extension AdminTraces {
    init(_ exporter: OTLPExporter) {
        self.init(target: exporter.channel.target)
        let statistics = exporter.statistics
        exported = statistics.exportedSpans
        dropped = statistics.droppedSpans
        rejected = statistics.rejectedSpans
        failed = statistics.failedSpans
        waiting = statistics.waitingSpans
        exports = statistics.exports
        failedExports = statistics.failedExports
        failure = statistics.failure
    }
}
