import RocketBase
import Synchronization

/// Why a call is not begun under overload. The errors do not depend on the call: each is made once,
/// and its frame once per method (`RefusalFrames`).
enum OverloadRefusal: Int, CaseIterable {
    /// It has waited for too long.
    case queueDelay
    /// Its deadline would pass while its handler ran.
    case late
    /// Too many calls of the method are in flight.
    case adaptiveLimit
    /// Its caller makes more calls than it may.
    case rate

    /// UNAVAILABLE says that the call was not begun, so that its channel may send it again, to another
    /// server if there is one (docs/decisions/0007). A caller that is over its rate is over it
    /// everywhere, and no other server gives a call more time.
    var error: RPCError {
        switch self {
        case .queueDelay: Self.queueDelayError
        case .late: Self.lateError
        case .adaptiveLimit: Self.adaptiveLimitError
        case .rate: Self.rateError
        }
    }

    private static let queueDelayError = RPCError(
        .unavailable, "the server is overloaded: calls wait too long")
    private static let lateError = RPCError(
        .callTimeout, "less time is left than the method takes")
    private static let adaptiveLimitError = RPCError(
        .unavailable, "the server is overloaded: too many calls of the method are in flight")
    private static let rateError = RPCError(
        .resourceExhausted, "the caller makes more calls than it may")
}

/// Counts of what was refused under overload, shared by all loops of a server. Any thread.
final class OverloadCounters: Sendable {
    private let queueDelay = Atomic(0)
    private let late = Atomic(0)
    private let adaptiveLimit = Atomic(0)
    private let rate = Atomic(0)
    private let overloadedLoops = Atomic(0)

    func refused(_ reason: OverloadRefusal) {
        switch reason {
        case .queueDelay: queueDelay.wrappingAdd(1, ordering: .relaxed)
        case .late: late.wrappingAdd(1, ordering: .relaxed)
        case .adaptiveLimit: adaptiveLimit.wrappingAdd(1, ordering: .relaxed)
        case .rate: rate.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// Records that one loop more, or one less, is overloaded.
    func loops(_ change: Int) { overloadedLoops.wrappingAdd(change, ordering: .relaxed) }

    /// Adds the counts to those of other refusals.
    func add(to statistics: inout RPCServerStatistics) {
        statistics.refusedForQueueDelay = queueDelay.load(ordering: .relaxed)
        statistics.refusedAsLate = late.load(ordering: .relaxed)
        statistics.refusedByAdaptiveLimit = adaptiveLimit.load(ordering: .relaxed)
        statistics.refusedForRate = rate.load(ordering: .relaxed)
        statistics.refusedCalls +=
            statistics.refusedForQueueDelay + statistics.refusedAsLate
            + statistics.refusedByAdaptiveLimit + statistics.refusedForRate
        statistics.overloadedLoops = overloadedLoops.load(ordering: .relaxed)
    }
}
