/// What an endpoint reports of its own load, in the metadata of its replies: the names and meanings
/// of gRFC A51's per-call load report.
public struct LoadReport: Hashable, Sendable {
    /// The share of its capacity that is in use: of the application if it knows that, else of the
    /// CPU; 0: unknown. May exceed 1.
    public var utilization: Double
    /// The calls that it serves per second.
    public var callsPerSecond: Double
    /// The calls that it fails per second.
    public var errorsPerSecond: Double

    /// Creates a report.
    ///
    /// - Parameters: see the properties.
    public init(utilization: Double, callsPerSecond: Double, errorsPerSecond: Double = 0) {
        self.utilization = utilization
        self.callsPerSecond = callsPerSecond
        self.errorsPerSecond = errorsPerSecond
    }
}

/// The parameters of `weightedRoundRobin`; names and defaults of gRFC A58.
public struct WeightConfiguration: Hashable, Sendable {
    /// How long an endpoint must have reported until its weight counts. Default 10 s.
    public var blackoutPeriod = Duration.seconds(10)
    /// How long a weight counts after the last report. Default 3 minutes.
    public var expirationPeriod = Duration.seconds(180)
    /// How often the schedule is computed again. Default 1 s; at least 100 ms.
    public var updatePeriod = Duration.seconds(1)
    /// How much the share of errors adds to the utilization. Default 1.
    public var errorUtilizationPenalty = 1.0

    /// The defaults.
    public init() {}
}
