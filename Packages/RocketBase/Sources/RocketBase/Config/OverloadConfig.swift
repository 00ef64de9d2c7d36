/// Which calls a server refuses under overload: the element `server/overload`.
public struct OverloadConfig: ConfigSection, Hashable {
    /// How long calls may wait until their handlers begin. When all of them wait longer for 100
    /// ms, those that wait for twice this time are refused with UNAVAILABLE. It should not be
    /// shorter than the longest handler that does not suspend runs. 0: none is refused.
    ///
    /// `server/overload/queue_delay_ms`: A whole number of ms, 0 to 60000. Default 0 ms.
    /// Changes live.
    public var queueDelay = Duration.zero
    /// Whether calls that have less time left until their deadlines than their handlers usually
    /// run are refused at once, with ERROR_RPC_CALL_TIMEOUT.
    ///
    /// `server/overload/refuse_late_calls`: True or false. Default false. Changes live.
    public var refusesLateCalls = false
    /// Methods whose calls in flight have a limit that follows from how long they run, such as
    /// those that wait for a database. Calls above the limit are refused with UNAVAILABLE.
    /// Streaming and synchronous methods have none.
    ///
    /// `server/overload/adaptive_limits`: 0 to 100 values, separated by commas; each a method
    /// (package.Service.method), the methods below a name (package.Service.*), or *. Default
    /// none. Changes live.
    public var adaptiveLimits: [String] = []
    /// How many calls a second each caller may make: each token's subject, certificate, user of
    /// this machine, or else IP address. Further ones are rejected with RESOURCE_EXHAUSTED. 0:
    /// no limit.
    ///
    /// `server/overload/calls_per_second`: A whole number, 0 to 1000000. Default 0. Changes
    /// live.
    public var callsPerSecond = 0
    /// How many calls a caller may make at once that has made none before. 0: as many as
    /// calls_per_second.
    ///
    /// `server/overload/burst`: A whole number, 0 to 1000000. Default 0. Changes live.
    public var burst = 0
    /// The largest number of callers that calls_per_second remembers. Further ones replace
    /// those that have not called for longest.
    ///
    /// `server/overload/max_callers`: A whole number, 16 to 10000000. Default 10000. Changes
    /// live.
    public var maxCallers = 10_000
    /// Whether calls may have the priority critical (metadata call-priority), which is refused
    /// last. Otherwise they are served as default: callers that are not trusted would all claim
    /// it. The priority sheddable, which is refused first, always counts.
    ///
    /// `server/overload/accept_critical`: True or false. Default false. Changes live.
    public var acceptsCritical = false

    /// All fields have their defaults: no call is refused.
    public init() {}
}

extension OverloadConfig {
    /// The schema of the `overload` element below `server`.
    public static let schema = ConfigSchema<Self>(
        "overload",
        "Which calls the server refuses under overload, so that it serves the others in time. "
            + "rocket.Health is always served. See docs/guides/overload.md.",
        delays + rates)

    private static let delays: [ConfigField<Self>] = [
        .init(
            "queue_delay_ms", \.queueDelay, .milliseconds(0...60_000), .live,
            "How long calls may wait until their handlers begin. When all of them wait longer for "
                + "100 ms, those that wait for twice this time are refused with UNAVAILABLE. It "
                + "should not be shorter than the longest handler that does not suspend runs. 0: "
                + "none is refused."),
        .init(
            "refuse_late_calls", \.refusesLateCalls, .boolean, .live,
            "Whether calls that have less time left until their deadlines than their handlers "
                + "usually run are refused at once, with ERROR_RPC_CALL_TIMEOUT."),
        .init(
            "adaptive_limits", \.adaptiveLimits, .list(of: .methodPattern, count: 0...100), .live,
            "Methods whose calls in flight have a limit that follows from how long they run, such "
                + "as those that wait for a database. Calls above the limit are refused with "
                + "UNAVAILABLE. Streaming and synchronous methods have none."),
    ]

    private static let rates: [ConfigField<Self>] = [
        .init(
            "calls_per_second", \.callsPerSecond, .integer(0...1_000_000), .live,
            "How many calls a second each caller may make: each token's subject, certificate, user "
                + "of this machine, or else IP address. Further ones are rejected with "
                + "RESOURCE_EXHAUSTED. 0: no limit."),
        .init(
            "burst", \.burst, .integer(0...1_000_000), .live,
            "How many calls a caller may make at once that has made none before. 0: as many as "
                + "calls_per_second."),
        .init(
            "max_callers", \.maxCallers, .integer(16...10_000_000), .live,
            "The largest number of callers that calls_per_second remembers. Further ones replace "
                + "those that have not called for longest."),
        .init(
            "accept_critical", \.acceptsCritical, .boolean, .live,
            "Whether calls may have the priority critical (metadata call-priority), which is "
                + "refused last. Otherwise they are served as default: callers that are not "
                + "trusted would all claim it. The priority sheddable, which is refused first, "
                + "always counts."),
    ]
}

extension ConfigType where Value == String {
    /// A pattern of methods, as `MethodPattern` reads it.
    static var methodPattern: Self {
        Self(
            allowed: "a method (package.Service.method), the methods below a name "
                + "(package.Service.*), or *",
            parse: { (try? MethodPattern($0)) == nil ? nil : $0 }, text: { $0 })
    }
}
