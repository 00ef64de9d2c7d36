public import Metrics
import RocketSystem

/// A back end of swift-metrics: an application's own metrics, which appear in `/metrics`. Any thread.
///
///     let metrics = ApplicationMetrics()
///     MetricsSystem.bootstrap(metrics)
///     source.metrics = metrics
///     …
///     let orders = Counter(label: "orders", dimensions: [("kind", "gift")])
///     orders.increment()      // orders_total{kind="gift"} 1
///
/// | swift-metrics | Prometheus |
/// |---|---|
/// | `Counter`, `FloatingPointCounter` | counter; its name ends with `_total` |
/// | `Gauge`, `Meter` | gauge |
/// | `Recorder` | histogram with bounds from 1 to 100,000, in the values' own unit |
/// | `Timer` | histogram in seconds, from 0.1 ms to 10 s; its name ends with `_seconds` |
///
/// Characters that Prometheus does not take become `_`. Handles of the same name and labels are one
/// series, which lives until one of them is destroyed. Recording takes no lock; making a handle does.
public final class ApplicationMetrics: MetricsFactory {
    private let limits: MetricsLimits
    private let registry = Locked(MetricsRegistry())

    /// - Parameter limits: at which new series are refused.
    public init(limits: MetricsLimits = MetricsLimits()) { self.limits = limits }

    private static let shared = Locked<ApplicationMetrics?>(nil)

    /// Returns the back end of the process: bootstraps swift-metrics with one, the first time.
    ///
    /// - Returns: nil if the program has bootstrapped swift-metrics with another back end. It must not
    ///   do so after this call, nor during it: swift-metrics traps on a second one.
    public static func bootstrap() -> ApplicationMetrics? {
        shared.withLock { shared in
            if let shared { return shared }
            let factory = MetricsSystem.factory
            if let own = factory as? ApplicationMetrics { return own }
            guard factory is NOOPMetricsHandler else { return nil }
            let made = ApplicationMetrics()
            MetricsSystem.bootstrap(made)
            shared = made
            return made
        }
    }

    /// Returns a counter, or one that counts nothing, at a limit.
    public func makeCounter(
        label: String, dimensions: [(String, String)]
    ) -> any CounterHandler {
        series(label, "_total", dimensions, .counter, CounterCell.init)
            ?? NOOPMetricsHandler.instance
    }

    /// Returns a counter of fractions, or one that counts nothing, at a limit.
    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, "_total", dimensions, .counter, FractionCounterCell.init)
            ?? NOOPMetricsHandler.instance
    }

    /// Returns a gauge, or one that keeps nothing, at a limit.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, "", dimensions, .gauge, GaugeCell.init) ?? NOOPMetricsHandler.instance
    }

    /// Returns a histogram, without aggregation a gauge; one that keeps nothing, at a limit.
    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        let made: (any RecorderHandler)? =
            aggregate
            ? series(label, "", dimensions, .histogram) {
                HistogramCell(bounds: HistogramCell.numbers)
            } : series(label, "", dimensions, .gauge, GaugeCell.init)
        return made ?? NOOPMetricsHandler.instance
    }

    /// Returns a histogram in seconds, or one that keeps nothing, at a limit.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, "_seconds", dimensions, .histogram) {
            HistogramCell(bounds: HistogramCell.seconds)
        } ?? NOOPMetricsHandler.instance
    }

    /// Removes the counter's series.
    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    /// Removes the counter's series.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
        remove(handler)
    }
    /// Removes the gauge's series.
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    /// Removes the recorder's series.
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    /// Removes the timer's series.
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    private func series<Cell: AnyObject & Sendable>(
        _ label: String, _ suffix: String, _ dimensions: [(String, String)],
        _ kind: MetricFamily.Kind, _ make: () -> Cell
    ) -> Cell? {
        do throws(MetricRefusal) {
            let identity = try MetricIdentity(
                label, suffix: suffix, dimensions, limits: limits)
            return try registry.withLock { registry throws(MetricRefusal) in
                try registry.cell(identity, kind, limit: limits.series, make)
            }
        } catch {
            registry.withLock { $0.count(error) }
            return nil
        }
    }

    private func remove(_ handler: AnyObject) { registry.withLock { $0.remove(handler) } }

    /// What there is now.
    var contents: MetricsRegistry { registry.withLock { $0 } }
}
