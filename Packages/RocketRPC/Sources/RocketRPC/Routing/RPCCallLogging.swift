public import RocketBase
public import RocketSystem
public import SwiftProtobuf
import Synchronization

/// Writes log lines about calls: one of so many that went well, and those that failed, as many a
/// second as are allowed. An interceptor, for servers and channels.
///
/// Each line bears method, peer, code, microseconds and bytes; a failure's says how many were left
/// out before it.
public final class RPCCallLogging: RPCSynchronousInterceptor {
    private let logger: RocketLogger
    private let level: LogLevel
    private let every: Int
    private let maxFailuresPerSecond: Int
    private let time: any TimeSource
    private let calls = Atomic(0)
    private let failures = Locked(Failures())

    private struct Failures {
        var second = MonotonicTime(nanoseconds: 0)
        var written = 0
        var omitted = 0
    }

    /// - Parameters:
    ///   - every: of so many calls that went well one is logged; 1: all; 0: none. Default 100.
    ///   - maxFailuresPerSecond: calls that failed, logged within a second; 0: none. Default 10.
    ///   - level: of both. Default debug: normal work writes nothing at info.
    public init(
        _ logger: RocketLogger, every: Int = 100, maxFailuresPerSecond: Int = 10,
        level: LogLevel = .debug, time: any TimeSource = SystemTimeSource()
    ) {
        self.logger = logger
        self.every = max(0, every)
        self.maxFailuresPerSecond = maxFailuresPerSecond
        self.level = level
        self.time = time
    }

    /// Passes the call on, and sees to its line where its level is on.
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
        guard logger.isEnabled(level) else { return }
        let start = time.monotonic()
        let peer = call.peerAddress?.description ?? ""
        call.onEnd { [self, method = call.method, isOutgoing = call.isOutgoing] ending in
            guard let omitted = mayWrite(ending) else { return }
            logger.log(level, isOutgoing ? "call made" : "call answered") {
                $0.add("method", method)
                $0.add("peer", peer)
                $0.add("code", ending.code.rawValue == 0 ? "OK" : ending.code.name)
                $0.add("us", microsecondsOf: time.monotonic() - start)
                $0.add("request_bytes", ending.requestBytes)
                $0.add("response_bytes", ending.responseBytes)
                if omitted > 0 { $0.add("omitted", omitted) }
            }
        }
    }

    /// How many failures were left out before this line; nil where it is left out itself.
    private func mayWrite(_ ending: RPCCallEnding) -> Int? {
        if ending.code.rawValue == 0 {
            guard every > 0 else { return nil }
            return calls.wrappingAdd(1, ordering: .relaxed).oldValue % every == 0 ? 0 : nil
        }
        let now = time.monotonic()
        return failures.withLock { failures in
            if now - failures.second >= .seconds(1) {
                failures.second = now
                failures.written = 0
            }
            guard failures.written < maxFailuresPerSecond else {
                failures.omitted += 1
                return nil
            }
            failures.written += 1
            defer { failures.omitted = 0 }
            return failures.omitted
        }
    }
}
