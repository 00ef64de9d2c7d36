/// Traces of the calls that a program serves and makes: docs/guides/tracing.md.
public struct TraceConfig: ConfigSection, Hashable {
    /// Of calls whose callers have sent no traceparent, one of so many begins a trace. 0: none.
    /// Calls with a traceparent are traced if its flag sampled is set.
    ///
    /// `trace/calls_per_trace`: A whole number, 0 to 1000000000. Default 100. Needs a restart.
    public var callsPerTrace = 100

    /// Where spans are exported to; nil: nowhere.
    public var otlp: OTLPConfig?

    /// All fields have their defaults: nothing is traced.
    public init() {}
}

extension TraceConfig {
    /// The schema of the `trace` element.
    public static let schema = ConfigSchema<Self>(
        "trace",
        "Traces of the calls that the program serves and makes (docs/guides/tracing.md). Without the "
            + "element otlp there are none. It takes the product RocketOTLP.",
        [
            .init(
                "calls_per_trace", \.callsPerTrace, .integer(0...1_000_000_000), .restart,
                "Of calls whose callers have sent no traceparent, one of so many begins a trace. 0: none. "
                    + "Calls with a traceparent are traced if its flag sampled is set.")
        ], elements: [.init(\.otlp, .restart)])
}
