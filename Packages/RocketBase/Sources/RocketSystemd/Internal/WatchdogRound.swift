import RocketBase
import RocketSystem

/// Probes all watchdog targets and records which of them have acknowledged. Any thread.
final class WatchdogRound: Sendable {
    private struct State {
        var targets: [WatchdogTarget] = []
        /// The number of the current round; acknowledgements of earlier rounds are ignored.
        var round = 0
        /// The indices of the targets that have not acknowledged in this round.
        var pending: Set<Int> = []
    }

    private let state = Locked(State())

    func add(_ target: WatchdogTarget) { state.withLock { $0.targets.append(target) } }

    /// Starts a round: probes all targets, which acknowledge on their own threads, or at once.
    func start() {
        let (targets, round) = state.withLock { state in
            state.round += 1
            state.pending = Set(state.targets.indices)
            return (state.targets, state.round)
        }
        for (index, target) in targets.enumerated() {
            target.probe { [weak self] in self?.acknowledge(index, round) }
        }
    }

    private func acknowledge(_ index: Int, _ round: Int) {
        state.withLock { state in
            if state.round == round { state.pending.remove(index) }
        }
    }

    /// The names of the targets that have not acknowledged in this round.
    var unacknowledged: [String] {
        state.withLock { state in state.pending.sorted().map { state.targets[$0].name } }
    }
}
