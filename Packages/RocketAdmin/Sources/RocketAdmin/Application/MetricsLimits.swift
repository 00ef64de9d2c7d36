/// How much an application's metrics may take. At a limit, a new series is refused: its handle records
/// nothing, and `rocket_metrics_refused_total` counts it.
public struct MetricsLimits: Sendable, Hashable {
    /// The most series, a series being one name with its labels; 0: none. A histogram counts as one and
    /// makes 19 lines. Default 2000.
    public var series = 2000
    /// The most labels of a series. Default 16.
    public var labels = 16
    /// The longest name of a metric or label, in bytes. Default 128.
    public var nameBytes = 128
    /// The longest value of a label, in bytes. Default 256.
    public var valueBytes = 256

    /// The defaults.
    public init() {}
}

/// Why a series is refused: the label `reason` of `rocket_metrics_refused_total`.
enum MetricRefusal: String, CaseIterable, Error {
    /// There are too many.
    case series
    /// Its name is empty, too long, or one of `/metrics`' own.
    case name
    /// Its labels are too many, too long, or two of them have the same name.
    case labels
    /// The name is in use for another kind of metric.
    case kind
}
