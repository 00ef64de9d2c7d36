import RocketReactor
import RocketSystem

/// Decides when calls begin. Bound to the loop on which the callers run.
///
/// Closed loop: the next call begins when its caller is free. Open loop: call i is due at
/// start + i / rate whatever the server does; if no caller is free then, it begins late, and its
/// latency still counts from the time at which it was due.
final class RateSchedule {
    private let callsPerSecond: Double?
    /// The number of calls in all, however long they take; nil: as many as the time allows.
    private let calls: Int?
    private let reactor: Reactor
    private let time = SystemTimeSource()
    private let start: MonotonicTime
    private let end: MonotonicTime
    /// Calls that have begun.
    private var begun = 0
    private var waiting: [CheckedContinuation<MonotonicTime?, Never>] = []
    private var isArmed = false

    init(
        callsPerSecond: Double? = nil, calls: Int? = nil, for duration: Duration,
        on reactor: Reactor
    ) {
        self.calls = calls
        self.callsPerSecond = callsPerSecond
        self.reactor = reactor
        start = time.monotonic()
        end = start + duration
    }

    /// Callers use `nextDue` for an open loop, and `next`, which is not async, for a closed one.
    var isOpenLoop: Bool { calls == nil && callsPerSecond != nil }

    /// Returns when the caller's next call begins: `now`. Nil: no calls are left.
    func next(_ now: MonotonicTime) -> MonotonicTime? {
        if let calls {
            guard begun < calls else { return nil }
        } else {
            // At least one call, however busy the machine is.
            guard now < end || begun == 0 else { return nil }
        }
        begun += 1
        return now
    }

    /// As `next`, for a caller that makes several calls at once: how many begin at `now`.
    func next(_ now: MonotonicTime, atMost count: Int) -> Int {
        guard next(now) != nil else { return 0 }
        let more = min(count - 1, calls.map { $0 - begun } ?? .max)
        begun += more
        return 1 + more
    }

    /// Waits until the caller's next call is due, and returns when it was. Nil: no calls are left.
    func nextDue() async -> MonotonicTime? {
        let now = time.monotonic()
        // Callers that are waiting come first.
        if waiting.isEmpty, let due = takeDue(now) { return due }
        if now >= end { return nil }
        return await withCheckedContinuation { continuation in
            waiting.append(continuation)
            arm(now)
        }
    }

    /// When call number `begun` is due.
    private var dueTime: MonotonicTime {
        start + .nanoseconds(Int64(Double(begun) * 1e9 / (callsPerSecond ?? 1)))
    }

    private func takeDue(_ now: MonotonicTime) -> MonotonicTime? {
        let due = dueTime
        guard due <= now, due < end else { return nil }
        begun += 1
        return due
    }

    private func arm(_ now: MonotonicTime) {
        guard !isArmed else { return }
        isArmed = true
        let due = min(dueTime, end)
        reactor.schedule(after: due > now ? due - now : .zero, label: "bench schedule") {
            [self] _ in wake()
        }
    }

    private func wake() {
        isArmed = false
        let now = time.monotonic()
        while !waiting.isEmpty, let due = takeDue(now) {
            waiting.removeLast().resume(returning: due)
        }
        if waiting.isEmpty { return }
        if now < end { return arm(now) }
        for continuation in waiting { continuation.resume(returning: nil) }
        waiting.removeAll()
    }
}
