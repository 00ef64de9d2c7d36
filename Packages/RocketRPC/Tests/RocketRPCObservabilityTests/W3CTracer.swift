import InMemoryTracing
import Tracing

/// Propagates contexts in W3C's headers, as an OpenTelemetry backend does, and keeps spans in memory.
struct W3CTracer: Tracer {
    typealias Span = InMemorySpan

    let inner: InMemoryTracer

    func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> InMemorySpan {
        inner.startSpan(
            operationName, context: context(), ofKind: kind, at: instant(), function: function,
            file: fileID, line: line)
    }

    func forceFlush() {}

    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        context.traceParent = extractor.extract(key: "traceparent", from: carrier)
        context.traceState = extractor.extract(key: "tracestate", from: carrier)
    }

    func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        if let parent = context.traceParent {
            injector.inject(parent, forKey: "traceparent", into: &carrier)
        }
        if let state = context.traceState {
            injector.inject(state, forKey: "TraceState", into: &carrier)
        }
        injector.inject("no key of metadata", forKey: "a b", into: &carrier)
    }
}

extension ServiceContext {
    private enum ParentKey: ServiceContextKey { typealias Value = String }
    private enum StateKey: ServiceContextKey { typealias Value = String }

    var traceParent: String? {
        get { self[ParentKey.self] }
        set { self[ParentKey.self] = newValue }
    }

    var traceState: String? {
        get { self[StateKey.self] }
        set { self[StateKey.self] = newValue }
    }
}
