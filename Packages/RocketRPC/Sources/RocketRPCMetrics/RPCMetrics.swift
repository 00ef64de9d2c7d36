public import Metrics
public import RocketRPC
import RocketSystem
public import SwiftProtobuf

/// Measures calls with swift-metrics: an interceptor, for servers and channels.
///
/// | label | kind | dimensions |
/// |---|---|---|
/// | `rocket_rpc_calls_total` | counter | side, method, code (`OK` or an error's name) |
/// | `rocket_rpc_duration` | timer | side, method |
/// | `rocket_rpc_in_flight` | meter | side, method |
/// | `rocket_rpc_request_bytes_total` | counter | side, method |
/// | `rocket_rpc_response_bytes_total` | counter | side, method |
///
/// `side` is `server` or `client`. A call ends when it is answered; what a server refuses before
/// any handler runs is in `RPCDispatcher.statistics`.
public final class RPCMetrics: RPCSynchronousInterceptor {
    private struct Key: Hashable {
        let method: String
        let isOutgoing: Bool
    }

    private let factory: any MetricsFactory
    private let time: any TimeSource
    private let meters = Locked<[Key: MethodMeters]>([:])

    /// - Parameter factory: where the figures go; by default what the process was bootstrapped
    ///   with.
    public convenience init(factory: any MetricsFactory = MetricsSystem.factory) {
        self.init(factory: factory, time: SystemTimeSource())
    }

    init(factory: any MetricsFactory, time: any TimeSource) {
        self.factory = factory
        self.time = time
    }

    /// Passes the call on, and measures it.
    public nonisolated(nonsending) func intercept<
        Request: Message & Sendable, Response: Message & Sendable
    >(
        _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
    ) async throws -> Response {
        observe(call)
        return try await next(request, call)
    }

    /// The same for handlers that never wait.
    public func intercept<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: Request, _ call: RPCController,
        next: RPCSynchronousHandler<Request, Response>
    ) throws -> Response {
        observe(call)
        return try next(request, call)
    }

    private func observe(_ call: RPCController) {
        let meters = meters(of: call)
        let (start, time) = (time.monotonic(), time)
        meters.began()
        call.onEnd { meters.ended($0, after: time.monotonic() - start) }
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
