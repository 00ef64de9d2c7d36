/// How important a call is when not all can be served: the lowest is refused first. Carried in a
/// call's metadata, and passed on to the calls that its handler makes (DAGOR: Zhou et al.,
/// "Overload Control for Scaling WeChat Microservices", 2018; Google's SRE book, "Criticality").
///
/// The priorities differ in how far a queue or a number of calls in flight may grow until they are
/// refused, so the level of the overload itself is the threshold: it settles where the refused calls
/// are what is too much. No state and no rate has to be estimated.
public enum CallPriority: String, Hashable, Sendable, CaseIterable, Comparable {
    /// Can be left out without a user noticing: prefetching, batch jobs.
    case sheddable
    /// What has no priority.
    case standard = "default"
    /// What users are lost without: logging in, paying.
    case critical

    /// How many targets of queue delay a call of this priority may wait under overload.
    var queueDelayFactor: Int {
        switch self {
        case .sheddable: 1
        case .standard: 2
        case .critical: 4
        }
    }

    /// The percentage of a limit on calls in flight up to which calls of this priority begin.
    var limitPercent: Int {
        switch self {
        case .sheddable: 60
        case .standard: 80
        case .critical: 100
        }
    }

    private var rank: Int { queueDelayFactor }

    /// Returns whether `a` is refused before `b`.
    public static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
}
