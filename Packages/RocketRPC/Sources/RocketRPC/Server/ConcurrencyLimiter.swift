import RocketBase
import Synchronization

/// The limits that all loops of a server share, changeable while it runs, and the one count that
/// they have to share. Any thread.
///
/// A call is counted only while its handler is suspended: one that never suspends is over before
/// the next begins, so it touches nothing that another loop writes.
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

    /// nil when a connection with that many calls in flight may have one more.
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
