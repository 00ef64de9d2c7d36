import RocketBase
import Synchronization

/// Limits the calls in flight of all loops of a server. The limits can be changed while the server
/// runs. Any thread.
///
/// A call is counted only while its handler is suspended. A handler that never suspends returns
/// before the next one begins, so its call writes no memory that is shared between loops.
final class ConcurrencyLimiter: Sendable {
    private let maxCalls: Atomic<Int>
    private let maxCallsPerConnection: Atomic<Int>
    private let suspended = Atomic(0)

    init(_ limits: RPCCallLimits) {
        maxCalls = Atomic(limits.maxCalls)
        maxCallsPerConnection = Atomic(limits.maxCallsPerConnection)
    }

    func update(_ limits: RPCCallLimits) {
        maxCalls.store(limits.maxCalls, ordering: .relaxed)
        maxCallsPerConnection.store(limits.maxCallsPerConnection, ordering: .relaxed)
    }

    func callSuspended() { suspended.wrappingAdd(1, ordering: .relaxed) }

    func callResumed() { suspended.wrappingSubtract(1, ordering: .relaxed) }

    /// Returns the error for one more call on a connection with that many calls in flight; nil if
    /// the call is within the limits.
    func refusal(callsOnConnection: Int) -> RPCError? {
        let perConnection = maxCallsPerConnection.load(ordering: .relaxed)
        if callsOnConnection >= perConnection {
            return RPCError(
                .resourceExhausted,
                "this connection has \(perConnection) calls in flight, the most it may have")
        }
        let all = maxCalls.load(ordering: .relaxed)
        if suspended.load(ordering: .relaxed) >= all {
            return RPCError(
                .resourceExhausted,
                "the server has \(all) calls in flight, the most it may have")
        }
        return nil
    }
}
