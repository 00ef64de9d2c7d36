import Tracing

/// What a span has been told so far, or all of it. A value.
struct SpanRecord: Sendable {
    var context: TraceContext
    /// 0: it begins the trace.
    var parentSpanID: UInt64
    var name: String
    var kind: SpanKind
    // Nanoseconds since 1970.
    var startNanoseconds: UInt64
    var endNanoseconds: UInt64 = 0
    var attributes = SpanAttributes()
    var status: SpanStatus?
    private(set) var events: [SpanEvent] = []
    private(set) var links: [Link] = []
    private(set) var droppedEvents = 0
    private(set) var droppedLinks = 0

    /// Another span that this one has to do with.
    struct Link: Sendable {
        var context: TraceContext
        var attributes: SpanAttributes
    }

    init(
        context: TraceContext, parentSpanID: UInt64, name: String, kind: SpanKind,
        startNanoseconds: UInt64
    ) {
        self.context = context
        self.parentSpanID = parentSpanID
        self.name = name
        self.kind = kind
        self.startNanoseconds = startNanoseconds
    }

    mutating func add(_ event: SpanEvent) {
        if events.count < SpanLimits.events { events.append(event) } else { droppedEvents += 1 }
    }

    mutating func add(_ link: Link) {
        if links.count < SpanLimits.links { links.append(link) } else { droppedLinks += 1 }
    }
}

/// How much of a span is exported; the rest is dropped, and the span says how much that was.
enum SpanLimits {
    static let attributes = 128
    static let events = 128
    static let links = 128
    /// Of the value of an attribute, a name, or a text.
    static let valueBytes = 1024
    /// Elements of the value of an attribute.
    static let arrayElements = 128
    /// Of one span, about.
    static let bytes = 64 << 10
}
