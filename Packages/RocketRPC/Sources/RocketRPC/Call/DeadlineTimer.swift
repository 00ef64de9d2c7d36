import RocketReactor
import RocketSystem

/// One timer of the loop for the earliest of many deadlines. Bound to its loop.
///
/// It may fire early, for a deadline that was removed meanwhile: that is cheaper than moving it
/// with each one. Whoever is told looks at the clock.
final class DeadlineTimer {
    private unowned let reactor: Reactor
    private let label: StaticString
    private let fire: () -> Void
    private var timer: ScheduledTimer?
    private var due = MonotonicTime.distantFuture

    /// - Parameter fire: on the loop; has to call `expect` with what is the earliest then.
    init(on reactor: Reactor, label: StaticString, fire: @escaping () -> Void) {
        self.reactor = reactor
        self.label = label
        self.fire = fire
    }

    /// Fires at `time` at the latest; nil: no need.
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
