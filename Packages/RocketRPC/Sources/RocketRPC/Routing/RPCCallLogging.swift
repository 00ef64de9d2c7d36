import RocketTCP
public import RocketBase
public import RocketSystem
import RocketTCP
import Synchronization

/// Logs one of every N successful calls, and failed calls up to a limit per second. For servers
/// and channels.
///
/// Each line contains the method, the peer, the code, the duration in microseconds and the bytes of
/// request and response. The line of a failed call also contains the number of failed calls that
/// were omitted before it, and on a channel how often the call was sent, if more than once.
public final class RPCCallLogging: RPCCallObserver {
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
    ///   - every: N, where one of every N successful calls is logged; 1: all; 0: none. Default 100.
    ///   - maxFailuresPerSecond: the maximum number of failed calls that are logged per second;
    ///     0: none. Default 10.
    ///   - level: the level of all lines. Default debug, so that normal work logs nothing at info.
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

    /// Logs the call when it has ended, if the level is enabled.
    public func callBegan(_ call: RPCController) -> (@Sendable (RPCCallEnding) -> Void)? {
        guard logger.isEnabled(level) else { return nil }
        let start = time.monotonic()
        return { [self, method = call.method, isOutgoing = call.isOutgoing] ending in
            guard let omitted = mayWrite(ending) else { return }
            // The context adds msg_id and peer of this call to the line: without it, those of a
            // handler that makes the call would be added.
            let context = CallContext(call.storage, generation: call.generation)
            CallContext.$current.withValue(context) {
                logger.log(level, isOutgoing ? "call made" : "call answered") {
                    $0.add("method", method)
                    $0.add("code", ending.code.rawValue == 0 ? "OK" : ending.code.name)
                    $0.add("us", microsecondsOf: time.monotonic() - start)
                    $0.add("request_bytes", ending.requestBytes)
                    $0.add("response_bytes", ending.responseBytes)
                    if isOutgoing, ending.code.rawValue != 0, call.attempts > 1 {
                        $0.add("attempts", call.attempts)
                    }
                    if omitted > 0 { $0.add("omitted", omitted) }
                }
            }
        }
    }

    /// Returns the number of failures omitted before this line; nil if the line itself is omitted.
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
