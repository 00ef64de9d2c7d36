import Synchronization

/// Counts of the calls that a server refused, cancelled or timed out, and of broken streams, and its
/// state under overload. Use an interceptor to observe every call.
public struct RPCServerStatistics: Hashable, Sendable {
    /// Calls that failed before a handler ran: unknown names, limits, a draining server, expired
    /// deadlines, callers that may not make them, and the four kinds of refusals under overload.
    public var refusedCalls = 0
    /// The refused calls that are not in the four counts of overload below, by their reasons: `draining`
    /// (or the connection is too old), `call_limit` (calls in flight, streams, health calls),
    /// `request_size`, `metadata_size`, `deadline` (it had passed on arrival), `unknown_method` (or it is
    /// called as another kind), `permission` and `authentication`. Reasons that never occurred are there
    /// with 0.
    public var refusedByReason: [String: Int] = [:]
    /// Calls that were cancelled by a `rocket.cancel` frame.
    public var cancelledCalls = 0
    /// `rocket.cancel` frames for finished or unknown calls.
    public var ignoredCancellations = 0
    /// Calls whose deadline or server time limit passed while the handler ran.
    public var timedOutCalls = 0
    /// Connections closed because of an invalid frame.
    public var brokenStreams = 0

    /// Refused calls that had waited for too long (`RPCCallLimits.queueDelay`).
    public var refusedForQueueDelay = 0
    /// Refused calls with too little time left (`RPCCallLimits.refusesLateCalls`).
    public var refusedAsLate = 0
    /// Refused calls above their method's limit (`RPCCallLimits.adaptiveMethods`).
    public var refusedByAdaptiveLimit = 0
    /// Refused calls of callers above their rate (`RPCCallLimits.callsPerSecond`).
    public var refusedForRate = 0
    /// The loops that refuse calls for their delay now.
    public var overloadedLoops = 0
    /// The adaptive limits on calls in flight now, by full name of the method: the sum over the loops
    /// that have served a call.
    public var adaptiveLimits: [String: Int] = [:]

    /// All zero.
    public init() {}
}

/// Why a call is refused before its handler runs, but for an overload.
enum RefusalReason: String, CaseIterable {
    case draining
    case callLimit = "call_limit"
    case requestSize = "request_size"
    case metadataSize = "metadata_size"
    case deadline
    case unknownMethod = "unknown_method"
    case permission, authentication
}

/// Counters of rare events, shared by all loops of a server. Any thread.
final class ServerCounters: Sendable {
    private let draining = Atomic(0)
    private let callLimit = Atomic(0)
    private let requestSize = Atomic(0)
    private let metadataSize = Atomic(0)
    private let deadline = Atomic(0)
    private let unknownMethod = Atomic(0)
    private let permission = Atomic(0)
    private let authentication = Atomic(0)
    private let cancellations = Atomic(0)
    private let unknownCancellations = Atomic(0)
    private let timeouts = Atomic(0)
    private let brokenStreams = Atomic(0)

    func refused(_ reason: RefusalReason) {
        _ = with(reason) { $0.wrappingAdd(1, ordering: .relaxed) }
    }
    func cancelled() { cancellations.wrappingAdd(1, ordering: .relaxed) }
    func cancelledUnknown() { unknownCancellations.wrappingAdd(1, ordering: .relaxed) }
    func timedOut() { timeouts.wrappingAdd(1, ordering: .relaxed) }
    func brokenStream() { brokenStreams.wrappingAdd(1, ordering: .relaxed) }

    private func with<Result>(
        _ reason: RefusalReason, _ body: (borrowing Atomic<Int>) -> Result
    ) -> Result {
        switch reason {
        case .draining: body(draining)
        case .callLimit: body(callLimit)
        case .requestSize: body(requestSize)
        case .metadataSize: body(metadataSize)
        case .deadline: body(deadline)
        case .unknownMethod: body(unknownMethod)
        case .permission: body(permission)
        case .authentication: body(authentication)
        }
    }

    var snapshot: RPCServerStatistics {
        var statistics = RPCServerStatistics()
        for reason in RefusalReason.allCases {
            let count = with(reason) { $0.load(ordering: .relaxed) }
            statistics.refusedByReason[reason.rawValue] = count
            statistics.refusedCalls += count
        }
        statistics.cancelledCalls = cancellations.load(ordering: .relaxed)
        statistics.ignoredCancellations = unknownCancellations.load(ordering: .relaxed)
        statistics.timedOutCalls = timeouts.load(ordering: .relaxed)
        statistics.brokenStreams = brokenStreams.load(ordering: .relaxed)
        return statistics
    }
}
