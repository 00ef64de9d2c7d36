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
    @inline(__always)
    func refusal(callsOnConnection: Int) -> RPCError? {
        if callsOnConnection < maxCallsPerConnection.load(ordering: .relaxed),
            suspended.load(ordering: .relaxed) < maxCalls.load(ordering: .relaxed)
        {
            return nil
        }
        return exceeded(callsOnConnection)
    }

    /// Returns the error of a call above a limit.
    private func exceeded(_ callsOnConnection: Int) -> RPCError {
        let perConnection = maxCallsPerConnection.load(ordering: .relaxed)
        let (most, whose) =
            callsOnConnection >= perConnection
            ? (perConnection, "this connection")
            : (maxCalls.load(ordering: .relaxed), "the server")
        return RPCError(
            .resourceExhausted, "\(whose) has \(most) calls in flight, the most it may have")
    }
}
