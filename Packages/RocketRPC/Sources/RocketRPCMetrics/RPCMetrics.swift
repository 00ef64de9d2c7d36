public import Metrics
public import RocketRPC
public import RocketSystem

/// Measures calls with swift-metrics. For servers and channels.
///
/// | label | kind | dimensions |
/// |---|---|---|
/// | `rocket_rpc_calls_total` | counter | side, method, code (`OK` or an error's name) |
/// | `rocket_rpc_duration` | timer | side, method |
/// | `rocket_rpc_in_flight` | meter | side, method |
/// | `rocket_rpc_request_bytes_total` | counter | side, method |
/// | `rocket_rpc_response_bytes_total` | counter | side, method |
///
/// `side` is `server` or `client`. A call ends when it is answered; calls that a server refuses
/// before a handler runs are counted in `RPCDispatcher.statistics`.
public final class RPCMetrics: RPCCallObserver {
    private struct Key: Hashable {
        let method: String
        let isOutgoing: Bool
    }

    private let factory: any MetricsFactory
    private let time: any TimeSource
    private let meters = Locked<[Key: MethodMeters]>([:])

    /// - Parameters:
    ///   - factory: creates the meters; by default the factory that the process was bootstrapped
    ///     with.
    ///   - time: the clock that measures durations.
    public init(
        factory: any MetricsFactory = MetricsSystem.factory,
        time: any TimeSource = SystemTimeSource()
    ) {
        self.factory = factory
        self.time = time
    }

    /// Measures the call.
    public func callBegan(_ call: RPCController) -> (@Sendable (RPCCallEnding) -> Void)? {
        let meters = meters(of: call)
        let (start, time) = (time.monotonic(), time)
        meters.began()
        return { meters.ended($0, after: time.monotonic() - start) }
    }

    private func meters(of call: RPCController) -> MethodMeters {
        let key = Key(method: call.method, isOutgoing: call.isOutgoing)
        return meters.withLock { meters in
            if let found = meters[key] { return found }
            let made = MethodMeters(
                method: key.method, side: key.isOutgoing ? "client" : "server", factory: factory)
            meters[key] = made
            return made
        }
    }
}
