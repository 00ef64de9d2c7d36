import RocketBase
import RocketSystem
import Synchronization

/// A server's limits on calls. A call over a limit fails with an error; no limit closes the
/// connection.
public struct RPCCallLimits: Hashable, Sendable {
    /// The maximum number of calls in flight on one connection; further calls fail with
    /// RESOURCE_EXHAUSTED. At least 1; default 4096.
    public var maxCallsPerConnection = 4096
    /// The maximum number of calls with suspended handlers on all connections together; further
    /// calls fail with RESOURCE_EXHAUSTED. At least 1; default 65,536.
    public var maxCalls = 65_536
    /// The maximum number of `rocket.Health.watch` calls that wait on one connection; further ones
    /// fail with RESOURCE_EXHAUSTED. They do not count as calls in flight. The same number of
    /// `check` calls may wait, in an interceptor. At least 1; default 16.
    public var maxWatchesPerConnection = 16
    /// The maximum number of `rocket.Health.watch` calls that wait on all connections together;
    /// further ones fail with RESOURCE_EXHAUSTED. At least 1; default 4096.
    public var maxWatches = 4096
    /// The limits of methods without limits of their own. Default: 5 minutes per handler, no limits
    /// on sizes. The time limit does not apply to streaming methods, the sizes apply to each of
    /// their messages.
    public var defaults = RPCMethodLimits(timeout: .seconds(300))
    /// The limits of single methods, by full name (`shop.v1.Order.makeOrder`); a limit that is nil
    /// is taken from `defaults`.
    public var methods: [String: RPCMethodLimits] = [:]
    /// Limits on streaming calls.
    public var streams = RPCStreamLimits()

    /// Under overload: how long calls may wait until their handlers begin. When all calls of a loop
    /// wait for longer during 100 ms, those that have waited for twice this time are refused with
    /// UNAVAILABLE, as long as more than a tenth of the calls is. Not shorter than a handler runs that
    /// does not suspend; 5 ms for most servers. nil, the default: no call is refused for its delay.
    public var queueDelay: Duration?
    /// Whether calls are refused at once, with ERROR_RPC_CALL_TIMEOUT, that have less time left until
    /// their deadlines than their handlers take on average. Default false.
    public var refusesLateCalls = false
    /// The methods whose calls in flight have a limit on each loop that follows from how long they
    /// run; calls above it are refused with UNAVAILABLE. For handlers that wait for something with a
    /// queue of its own, such as a database. Full names (`shop.v1.Order.makeOrder`), the methods below
    /// a name (`shop.v1.Order.*`), or `*`; streaming and synchronous methods have no such limit.
    /// Default none.
    public var adaptiveMethods: [String] = []
    /// How many calls a second each caller may make; further ones fail with RESOURCE_EXHAUSTED. A
    /// caller is a token's subject, a certificate's name, a user of this machine, or else an IP
    /// address. 0, the default: no limit.
    public var callsPerSecond = 0
    /// How many calls a caller may make at once that has made none before. 0, the default: as many as
    /// `callsPerSecond`.
    public var callBurst = 0
    /// The most callers that are remembered for `callsPerSecond`; further ones replace those that have
    /// not called for longest. Default 10,000.
    public var maxCallers = 10_000
    /// Whether calls with the metadata `call-priority=critical` are refused after others; false, the
    /// default: they are served like others, since callers that are not trusted would all claim it.
    public var acceptsCritical = false

    /// The defaults.
    public init() {}

    /// - Parameter isStreaming: whether the default time limit of handlers does not apply.
    func resolved(for method: String, isStreaming: Bool) -> MethodLimits {
        var defaults = defaults
        if isStreaming { defaults.timeout = nil }
        return MethodLimits(methods[method] ?? RPCMethodLimits(), defaults)
    }
}

/// Limits on the calls of one method. nil: the server's default; 0: no limit.
public struct RPCMethodLimits: Hashable, Sendable {
    /// The maximum size of a serialized request, in bytes. A call with a larger request fails with
    /// RESOURCE_EXHAUSTED without running its handler. Without it the frame limit applies.
    public var maxRequestBytes: Int?
    /// The maximum size of a serialized response, in bytes. A call with a larger response fails
    /// with RESOURCE_EXHAUSTED. Without it the frame limit applies.
    public var maxResponseBytes: Int?
    /// The maximum run time of a handler, independent of the caller's deadline. Once it has passed,
    /// the call fails with ERROR_RPC_CALL_TIMEOUT and the handler's task is cancelled. Without it
    /// only the caller's deadline applies.
    public var timeout: Duration?

    /// Creates limits of one method; nil: the server's default.
    public init(
        maxRequestBytes: Int? = nil, maxResponseBytes: Int? = nil, timeout: Duration? = nil
    ) {
        self.maxRequestBytes = maxRequestBytes
        self.maxResponseBytes = maxResponseBytes
        self.timeout = timeout
    }
}

/// The limits of one method, with the server's defaults applied.
struct MethodLimits: Sendable {
    let maxRequestBytes: Int
    let maxResponseBytes: Int
    /// In nanoseconds, at least 1; nil: none.
    let timeout: UInt64?

    init(_ own: RPCMethodLimits, _ defaults: RPCMethodLimits) {
        func bytes(_ limit: Int?) -> Int { limit.flatMap { $0 > 0 ? $0 : nil } ?? .max }
        maxRequestBytes = bytes(own.maxRequestBytes ?? defaults.maxRequestBytes)
        maxResponseBytes = bytes(own.maxResponseBytes ?? defaults.maxResponseBytes)
        let timeout = own.timeout ?? defaults.timeout ?? .zero
        self.timeout = timeout > .zero ? UInt64(timeout.wholeNanoseconds) : nil
    }
}

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
    /// The most calls that were suspended at the same time.
    private let mostSuspended = Atomic(0)
    // Calls that were refused for each of the limits.
    private let refused = Atomic(0)
    private let refusedOnConnection = Atomic(0)
    private let refusedWatches = Atomic(0)
    private let refusedWatchesOnConnection = Atomic(0)
    private let refusedStreams = Atomic(0)

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

    func callSuspended() {
        let count = suspended.wrappingAdd(1, ordering: .relaxed).newValue
        if count > mostSuspended.load(ordering: .relaxed) {
            mostSuspended.store(count, ordering: .relaxed)
        }
    }

    /// A stream was refused, since its connection has as many as it may have.
    func streamRefused() { refusedStreams.wrappingAdd(1, ordering: .relaxed) }

    /// The limits, how near they are, and what they have refused.
    ///
    /// - Parameters:
    ///   - callsOnConnection: the most calls in flight of any connection now.
    ///   - streamsOnConnection: the most open streams of any connection now.
    ///   - maxStreams: the most that one may have.
    func limits(
        callsOnConnection: Int, streamsOnConnection: Int, maxStreams: Int
    ) -> [RPCServerSnapshot.Limit] {
        [
            .init(
                name: "calls_in_flight", limit: maxCalls.load(ordering: .relaxed),
                current: suspended.load(ordering: .relaxed),
                highest: mostSuspended.load(ordering: .relaxed),
                refusals: refused.load(ordering: .relaxed)),
            .init(
                name: "calls_in_flight_per_connection",
                limit: maxCallsPerConnection.load(ordering: .relaxed),
                current: callsOnConnection,
                refusals: refusedOnConnection.load(ordering: .relaxed)),
            .init(
                name: "streams_per_connection", limit: maxStreams, current: streamsOnConnection,
                refusals: refusedStreams.load(ordering: .relaxed)),
            .init(
                name: "watches", limit: maxWatches.load(ordering: .relaxed),
                current: watches.load(ordering: .relaxed),
                refusals: refusedWatches.load(ordering: .relaxed)),
            .init(
                name: "watches_per_connection",
                limit: maxWatchesPerConnection.load(ordering: .relaxed),
                refusals: refusedWatchesOnConnection.load(ordering: .relaxed)),
        ]
    }

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
        if callsOnConnection >= perConnection {
            refusedOnConnection.wrappingAdd(1, ordering: .relaxed)
        } else {
            refused.wrappingAdd(1, ordering: .relaxed)
        }
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
            refusedWatchesOnConnection.wrappingAdd(1, ordering: .relaxed)
            return RPCError(
                .resourceExhausted,
                "\(perConnection) health calls of this connection wait, the most that may")
        }
        let all = maxWatches.load(ordering: .relaxed)
        if countsAll, watches.load(ordering: .relaxed) >= all {
            refusedWatches.wrappingAdd(1, ordering: .relaxed)
            return RPCError(
                .resourceExhausted, "\(all) watch calls wait on this server, the most that may")
        }
        return nil
    }
}
