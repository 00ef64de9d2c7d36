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
    private let maxWatches: Atomic<Int>
    private let maxWatchesPerConnection: Atomic<Int>
    private let suspended = Atomic(0)
    private let watches = Atomic(0)

    init(_ limits: RPCCallLimits) {
        maxCalls = Atomic(limits.maxCalls)
        maxCallsPerConnection = Atomic(limits.maxCallsPerConnection)
        maxWatches = Atomic(limits.maxWatches)
        maxWatchesPerConnection = Atomic(limits.maxWatchesPerConnection)
    }

    func update(_ limits: RPCCallLimits) {
        maxCalls.store(limits.maxCalls, ordering: .relaxed)
        maxCallsPerConnection.store(limits.maxCallsPerConnection, ordering: .relaxed)
        maxWatches.store(limits.maxWatches, ordering: .relaxed)
        maxWatchesPerConnection.store(limits.maxWatchesPerConnection, ordering: .relaxed)
    }

    func callSuspended() { suspended.wrappingAdd(1, ordering: .relaxed) }

    func callResumed() { suspended.wrappingSubtract(1, ordering: .relaxed) }

    func watchSuspended() { watches.wrappingAdd(1, ordering: .relaxed) }

    func watchResumed() { watches.wrappingSubtract(1, ordering: .relaxed) }

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

    /// Returns the error for one more call of a method of `rocket.Health`; nil if it is within the
    /// limits.
    ///
    /// - Parameters:
    ///   - waitingOnConnection: the calls of this method that wait on the connection.
    ///   - countsAll: whether the method is `watch`, which is also limited on all connections.
    func watchRefusal(waitingOnConnection: Int, countsAll: Bool) -> RPCError? {
        let perConnection = maxWatchesPerConnection.load(ordering: .relaxed)
        if waitingOnConnection >= perConnection {
            return RPCError(
                .resourceExhausted,
                "\(perConnection) health calls of this connection wait, the most that may")
        }
        let all = maxWatches.load(ordering: .relaxed)
        if countsAll, watches.load(ordering: .relaxed) >= all {
            return RPCError(
                .resourceExhausted, "\(all) watch calls wait on this server, the most that may")
        }
        return nil
    }
}
