import RocketSystem
public import Tracing

/// A span of an `OTLPTracer`. Any thread. One of a trace that is not exported has a context only, and
/// whatever it is told has no effect; so it is after its end.
public final class OTLPTracerSpan: Span {
    /// What the children of the span are given.
    public let context: ServiceContext
    private let record: Locked<SpanRecord?>
    private let buffer: SpanBuffer?

    /// A span that is not exported.
    init(_ context: ServiceContext) {
        self.context = context
        record = Locked(nil)
        buffer = nil
    }

    init(_ context: ServiceContext, _ record: SpanRecord, _ buffer: SpanBuffer) {
        self.context = context
        self.record = Locked(record)
        self.buffer = buffer
    }

    private func change(_ body: (inout SpanRecord) -> Void) {
        guard buffer != nil else { return }
        record.withLock { record in
            if var changed = record.take() {
                body(&changed)
                record = changed
            }
        }
    }

    /// Whether it will be exported, and has not ended.
    public var isRecording: Bool { buffer != nil && record.withLock { $0 != nil } }

    /// Its name; empty if it is not exported.
    public var operationName: String {
        get { record.withLock { $0?.name ?? "" } }
        set { change { $0.name = newValue } }
    }

    /// Its attributes. `OTLPTracer` exports up to 128 of them, and 1024 bytes of each value.
    public var attributes: SpanAttributes {
        get { record.withLock { $0?.attributes ?? [:] } }
        set { change { $0.attributes = newValue } }
    }

    /// Sets the status; the last one counts, but one that is OK stays.
    public func setStatus(_ status: SpanStatus) {
        change { record in
            if record.status?.code != .ok { record.status = status }
        }
    }

    /// Adds an event; the first 128 are exported.
    public func addEvent(_ event: SpanEvent) { change { $0.add(event) } }

    /// Adds an event `exception` with the error's type and its description.
    public func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        guard isRecording else { return }
        var all = attributes
        all["exception.type"] = String(reflecting: type(of: error))
        all["exception.message"] = String(describing: error)
        addEvent(SpanEvent(name: "exception", at: instant(), attributes: all))
    }

    /// Adds a link to a span of this tracer; the first 128 are exported.
    public func addLink(_ link: SpanLink) {
        guard let target = link.context.trace else { return }
        change { $0.add(SpanRecord.Link(context: target, attributes: link.attributes)) }
    }

    /// Ends it. Only the first time counts.
    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        guard let buffer, var ended = record.withLock({ $0.take() }) else { return }
        ended.endNanoseconds = max(ended.startNanoseconds, instant().nanosecondsSinceEpoch)
        buffer.add(ended)
    }
}
