/// What has become of the spans that a program exports, since its start. A value.
public struct AdminTraces: Hashable, Sendable {
    /// The collector.
    public var target: String
    /// Spans that it has taken.
    public var exported: UInt64 = 0
    /// Spans that were dropped since too many waited.
    public var dropped: UInt64 = 0
    /// Spans that the collector did not want.
    public var rejected: UInt64 = 0
    /// Spans that were given up after all attempts.
    public var failed: UInt64 = 0
    /// Spans that wait.
    public var waiting = 0
    /// Attempts that were answered.
    public var exports: UInt64 = 0
    /// Attempts that have failed.
    public var failedExports: UInt64 = 0
    /// Why the last attempt has failed; nil: it has not.
    public var failure: String?

    /// Nothing has been exported.
    public init(target: String) { self.target = target }
}

extension AdminView {
    func writeTraces(_ text: inout PrometheusText) {
        guard let traces else { return }
        text.write(.traceSpans) { samples in
            samples.add(traces.exported, "exported")
            samples.add(traces.dropped, "dropped")
            samples.add(traces.rejected, "rejected")
            samples.add(traces.failed, "failed")
        }
        text.write(.traceWaiting, traces.waiting)
        text.write(.traceExports) { samples in
            samples.add(traces.exports, "ok")
            samples.add(traces.failedExports, "failed")
        }
    }

    /// The table below those of the channels; none: nothing is exported.
    var tracesTables: [Table] {
        guard let traces else { return [] }
        let row: [Table.Cell] = [
            .code(traces.target),
            traces.failure == nil ? .state("ok", .good) : .state("failing", .bad),
            .count(Int(clamping: traces.exported)), .count(traces.waiting),
            .fault(Int(clamping: traces.dropped)), .fault(Int(clamping: traces.rejected)),
            .fault(Int(clamping: traces.failed)), .count(Int(clamping: traces.exports)),
            .fault(Int(clamping: traces.failedExports)),
            traces.failure.map { .text($0) } ?? .missing,
        ]
        return [
            Table(
                id: "traces",
                columns: [
                    .text("collector", "Collector"), .text("state", "State"),
                    .number("exported", "Spans", "Spans that the collector has taken"),
                    .number("waiting", "Waiting"),
                    .number("dropped", "Dropped", "Too many waited: trace/otlp/queue"),
                    .number("rejected", "Rejected", "The collector did not want them"),
                    .number("failed", "Failed", "Given up after all attempts"),
                    .number("exports", "Exports"), .number("failed_exports", "Failed attempts"),
                    .text("failure", "Why the last one failed"),
                ], rows: [row], empty: "")
        ]
    }
}
