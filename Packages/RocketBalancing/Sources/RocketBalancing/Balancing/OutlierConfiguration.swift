/// When an endpoint is ejected, which means that it gets no calls for a while. The names and defaults
/// are those of gRFC A50, "Outlier Detection"; the last section is an addition.
///
/// A value out of its range is taken for the nearest one in it.
public struct OutlierConfiguration: Hashable, Sendable {
    /// The time between two sweeps. Default 10 s; at least 100 ms.
    public var interval = Duration.seconds(10)
    /// An endpoint stays ejected for this time, multiplied by the number of its ejections. Default
    /// 30 s.
    public var baseEjectionTime = Duration.seconds(30)
    /// The longest ejection; at least `baseEjectionTime` counts. Default 300 s.
    public var maxEjectionTime = Duration.seconds(300)
    /// The share of endpoints that may be ejected, in percent; one may always be. Default 10.
    public var maxEjectionPercent = 10
    /// The success rate algorithm; nil turns it off.
    public var successRate: SuccessRate? = SuccessRate()
    /// The failure percentage algorithm; nil turns it off.
    public var failurePercentage: FailurePercentage? = FailurePercentage()
    /// Failures in sequence after which an endpoint is ejected at once, not at the next sweep, as
    /// by Envoy's `consecutive_5xx` and Finagle's failure accrual; nil turns it off. Default 5.
    public var consecutiveFailures: Int? = 5
    /// How many endpoints there must be for `consecutiveFailures`. Of fewer, one is so much of the
    /// capacity that without it the others are overloaded. Default 5, as for A50's algorithms.
    public var consecutiveFailuresMinimumHosts = 5

    /// Ejects endpoints whose success rate is far below the mean of all.
    public struct SuccessRate: Hashable, Sendable {
        /// How many thousandths of the standard deviation below the mean. Default 1,900.
        public var stdevFactor = 1_900
        /// The chance that an outlier is ejected, in percent. Default 100.
        public var enforcementPercentage = 100
        /// How many endpoints must have the volume. Default 5.
        public var minimumHosts = 5
        /// How many calls an endpoint must have had since the last sweep. Default 100.
        public var requestVolume = 100

        /// The defaults.
        public init() {}
    }

    /// Ejects endpoints with more failures than a fixed share.
    public struct FailurePercentage: Hashable, Sendable {
        /// The share of failed calls in percent, above which an endpoint is ejected. Default 85.
        public var threshold = 85
        /// The chance that an outlier is ejected, in percent. Default 100.
        public var enforcementPercentage = 100
        /// How many endpoints there must be. Default 5.
        public var minimumHosts = 5
        /// How many calls an endpoint must have had since the last sweep. Default 50.
        public var requestVolume = 50

        /// The defaults.
        public init() {}
    }

    /// The defaults.
    public init() {}
}
