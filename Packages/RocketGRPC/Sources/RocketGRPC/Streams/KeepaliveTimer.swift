import RocketReactor
import RocketSystem

/// Runs a `Keepalive` on a loop. Bound to the loop; its owner cancels it.
final class KeepaliveTimer {
    private var keepalive: Keepalive
    private let reactor: Reactor
    private let fire: () -> Void
    private var timer: ScheduledTimer?

    init(_ keepalive: Keepalive, on reactor: Reactor, fire: @escaping () -> Void) {
        self.keepalive = keepalive
        self.reactor = reactor
        self.fire = fire
    }

    func received() { keepalive.received(at: reactor.now) }

    /// Makes sure that the timer is set where it has to be. The timer looks again when it fires: it is
    /// not set for each read.
    func expect(hasCalls: Bool) {
        if timer != nil { return }
        if !hasCalls, !keepalive.permitsWithoutCalls { return }
        schedule(after: keepalive.time)
    }

    /// Returns what is to be done now, and sets the timer again.
    func due(hasCalls: Bool) -> Keepalive.Action {
        timer = nil
        let (action, next) = keepalive.due(at: reactor.now, hasCalls: hasCalls)
        if let next { schedule(after: next - reactor.now) }
        return action
    }

    private func schedule(after delay: Duration) {
        timer = reactor.schedule(after: delay, label: "gRPC keepalive") { [weak self] _ in
            self?.fire()
        }
    }

    func cancel() { timer?.cancel() }
}
