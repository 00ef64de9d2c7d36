/// What has become of the spans of an exporter since it was made. A value.
public struct OTLPStatistics: Hashable, Sendable {
    /// Spans that the collector has taken.
    public var exportedSpans: UInt64 = 0
    /// Spans that were dropped since too many waited, or came after the end.
    public var droppedSpans: UInt64 = 0
    /// Spans that the collector did not want: all of an export, or some (`partial_success`).
    public var rejectedSpans: UInt64 = 0
    /// Spans that were given up after attempts for 5 minutes, or were left at the end.
    public var failedSpans: UInt64 = 0
    /// Spans that wait now, besides those of the export that is under way.
    public var waitingSpans = 0
    /// Attempts to export that the collector has answered with a response.
    public var exports: UInt64 = 0
    /// Other attempts.
    public var failedExports: UInt64 = 0
    /// Why the last attempt has failed; nil: it has not.
    public var failure: String?

    /// Nothing has happened.
    public init() {}
}
