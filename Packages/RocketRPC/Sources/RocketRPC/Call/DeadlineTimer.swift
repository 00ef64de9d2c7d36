import RocketReactor
import RocketSystem

/// A single timer of the loop for the earliest of many deadlines. Bound to its loop.
///
/// The timer may fire early, for a deadline that has been removed since: this is cheaper than
/// rescheduling the timer with each removal. So `fire` must compare its deadlines with the clock.
final class DeadlineTimer {
    private unowned let reactor: Reactor
    private let label: StaticString
    private let fire: () -> Void
    private var timer: ScheduledTimer?
    private var due = MonotonicTime.distantFuture

    /// - Parameter fire: runs on the loop; must call `expect` with the next deadline, or the timer
    ///   does not fire again.
    init(on reactor: Reactor, label: StaticString, fire: @escaping () -> Void) {
        self.reactor = reactor
        self.label = label
        self.fire = fire
    }

    /// Schedules the timer for `time` unless it fires earlier; nil: no change.
    func expect(_ time: MonotonicTime?) {
        guard let time, time < due else { return }
        timer?.cancel()
        due = time
        timer = reactor.schedule(after: time - reactor.now, label: label) { [unowned self] _ in
            due = .distantFuture
            fire()
        }
    }

    func cancel() {
        timer?.cancel()
        due = .distantFuture
    }

    deinit { timer?.cancel() }
}

/// The calls of a channel that are retried after a back-off. Bound to its loop.
final class RetryQueue {
    private let reactor: Reactor
    private let send: (CallID) -> Void
    private var calls = TimerQueue<CallID>()
    private lazy var timer = DeadlineTimer(on: reactor, label: "call retry") { [unowned self] in
        sendDue()
    }

    /// - Parameter send: called with each id when its back-off has ended. The call may have ended
    ///   meanwhile.
    init(on reactor: Reactor, send: @escaping (CallID) -> Void) {
        self.reactor = reactor
        self.send = send
    }

    func append(_ id: CallID, after duration: Duration) {
        _ = calls.insert(at: reactor.now + duration, id)
        timer.expect(calls.earliest)
    }

    func cancel() {
        calls = TimerQueue()
        timer.cancel()
    }

    private func sendDue() {
        while let (_, id) = calls.popExpired(now: reactor.now) { send(id) }
        timer.expect(calls.earliest)
    }
}
