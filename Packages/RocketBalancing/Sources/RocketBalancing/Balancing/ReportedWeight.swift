import RocketSystem

/// The weight of one endpoint that follows from its load reports: calls per second ÷ (utilization +
/// share of errors × penalty), as gRFC A58, "Subchannel Weights". A value.
struct ReportedWeight: Hashable, Sendable {
    private var weight = 0.0
    private var lastUpdated: MonotonicTime?
    private var nonEmptySince: MonotonicTime?

    /// Without a report.
    init() {}

    /// Records a report (A58's `UpdateWeight`). One without a utilization, without calls, or with
    /// numbers that are negative or not finite counts as none.
    mutating func update(
        _ report: LoadReport, now: MonotonicTime, _ configuration: WeightConfiguration
    ) {
        guard report.utilization > 0, report.callsPerSecond > 0, report.errorsPerSecond >= 0
        else { return }
        let penalty = max(0, configuration.errorUtilizationPenalty)
        let new =
            report.callsPerSecond
            / (report.utilization + report.errorsPerSecond / report.callsPerSecond * penalty)
        guard new.isFinite, new > 0 else { return }
        if nonEmptySince == nil { nonEmptySince = now }
        lastUpdated = now
        weight = new
    }

    /// Forgets how long the endpoint has reported: its connection is new (A58's
    /// `OnSubchannelBecomesReady`).
    mutating func restart() { nonEmptySince = nil }

    /// The weight now, or nil where none counts (A58's `GetWeight`).
    mutating func current(
        now: MonotonicTime, _ configuration: WeightConfiguration
    ) -> Double? {
        guard let lastUpdated else { return nil }
        if now - lastUpdated >= configuration.expirationPeriod {
            nonEmptySince = nil
            return nil
        }
        guard let nonEmptySince else { return nil }
        if now - nonEmptySince < configuration.blackoutPeriod { return nil }
        return weight
    }
}
