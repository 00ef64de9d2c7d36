import RocketBase
import RocketSystem

/// The deadline of a call: the caller's deadline or the server's time limit on handlers, whichever
/// is earlier.
struct CallDeadline: Equatable {
    let time: MonotonicTime?
    /// Whether the server's limit is the earlier one.
    let isOwn: Bool
    private let callers: MonotonicTime?

    /// No deadline.
    static var none: CallDeadline { CallDeadline(callers: nil) }

    private init(callers: MonotonicTime?) {
        time = callers
        isOwn = false
        self.callers = callers
    }

    /// The caller's deadline only. The server's limit applies to the handler, so it no longer
    /// applies once the handler has returned.
    var withoutOwn: CallDeadline { isOwn ? CallDeadline(callers: callers) : self }

    /// - Parameters:
    ///   - timeoutMilliseconds: the time left until the caller's deadline, 0 or more; nil: none.
    ///   - own: the server's limit, in nanoseconds; nil: none.
    @inline(__always)
    init(timeoutMilliseconds: Int64?, own: UInt64?, now: MonotonicTime) {
        if timeoutMilliseconds == nil, own == nil {
            self = .none
            return
        }
        self.init(earlierOf: timeoutMilliseconds, own, now: now)
    }

    private init(earlierOf timeoutMilliseconds: Int64?, _ own: UInt64?, now: MonotonicTime) {
        callers = timeoutMilliseconds.map { timeout in
            let (nanoseconds, overflow) = UInt64(max(0, timeout))
                .multipliedReportingOverflow(by: 1_000_000)
            return now.later(by: overflow ? .max : nanoseconds)
        }
        let callers = callers
        let ours = own.map { now.later(by: $0) }
        isOwn = ours.map { $0 < callers ?? .distantFuture } ?? false
        time = isOwn ? ours : callers
    }

    /// The error that is sent if the deadline passes while the handler runs.
    var failure: RPCError {
        RPCError(
            .callTimeout,
            isOwn
                ? "the handler ran for longer than the server lets it"
                : "the deadline passed while the handler ran")
    }
}
