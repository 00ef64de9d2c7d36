import RocketSystem
public import Tracing

/// A back end of swift-distributed-tracing that exports spans by an `OTLPExporter`. Any thread; the
/// copies are one.
///
/// ```swift
/// let exporter = try OTLPExporter(OTLPConfiguration(endpoint: "127.0.0.1:4317"))
/// InstrumentationSystem.bootstrap(exporter.tracer)        // spans of the program and its libraries
/// let tracing = RPCTracing(tracer: exporter.tracer)       // spans of calls
/// let server = try RPCServer(…, interceptors: [tracing])
/// let channel = try RPCChannel(…, interceptors: [tracing])
/// ```
///
/// A span whose context has a parent belongs to its trace, and is exported if that is (W3C's flag
/// `sampled`); one without a parent begins a trace. Contexts are passed on as `traceparent` and
/// `tracestate`, also of traces that are not exported.
public struct OTLPTracer: Tracer {
    /// A span of this tracer.
    public typealias Span = OTLPTracerSpan

    private let ids: TraceIDs
    private let sampler: TraceSampler
    private let buffer: SpanBuffer

    init(_ buffer: SpanBuffer, _ sampler: TraceSampler, _ ids: TraceIDs) {
        self.buffer = buffer
        self.sampler = sampler
        self.ids = ids
    }

    /// Begins a span, which the buffer of the exporter receives at its end if its trace is exported.
    public func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> OTLPTracerSpan {
        var context = context()
        let parent = context.trace
        let trace = child(of: parent)
        context.trace = trace
        guard trace.isSampled else { return OTLPTracerSpan(context) }
        return OTLPTracerSpan(
            context,
            SpanRecord(
                context: trace, parentSpanID: parent?.spanID ?? 0, name: operationName, kind: kind,
                startNanoseconds: instant().nanosecondsSinceEpoch), buffer)
    }

    private func child(of parent: TraceContext?) -> TraceContext {
        if var trace = parent {
            trace.spanID = ids.next()
            return trace
        }
        let id = (high: ids.next(), low: ids.next())
        let flags = sampler.samples(id.low) ? TraceContext.sampled : 0
        return TraceContext(
            traceID: id, spanID: ids.next(), flags: flags | TraceContext.random)
    }

    /// Has the spans exported that have ended, without waiting for that.
    public func forceFlush() { buffer.requestFlush() }

    /// Reads `traceparent` and `tracestate`. A context that has a trace loses it where they are missing
    /// or not valid.
    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        context.trace = extractor.extract(key: TraceContext.parentKey, from: carrier).flatMap {
            TraceContext(
                parent: $0,
                state: extractor.extract(key: TraceContext.stateKey, from: carrier))
        }
    }

    /// Writes `traceparent`, and `tracestate` if there is one.
    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let trace = context.trace else { return }
        injector.inject(trace.parent, forKey: TraceContext.parentKey, into: &carrier)
        if !trace.state.isEmpty {
            injector.inject(trace.state, forKey: TraceContext.stateKey, into: &carrier)
        }
    }
}
