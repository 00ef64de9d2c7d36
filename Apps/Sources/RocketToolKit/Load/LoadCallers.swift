import RocketReactor
import RocketSystem

/// What the callers on one event loop share: which call is next, and those that wait for theirs to
/// be due. Bound to the loop.
final class LoadCallers {
    // SAFETY: of the next four: bound to one thread, and nothing else runs inside an access.
    @exclusivity(unchecked) private var pace: LoadPace
    @exclusivity(unchecked) private var choice: WeightedChoice
    /// How many calls of each method have begun on this loop, and on how many loops calls are made.
    @exclusivity(unchecked) private var turns: [Int]
    private let loop: Int
    private let loops: Int
    private let reactor: Reactor
    private var waiting: [CheckedContinuation<Call?, Never>] = []
    private let stages: LoadStages
    /// That of the last call.
    @exclusivity(unchecked) private var stage = 0
    /// Callers of a closed loop that make no calls now, and until when.
    private var parked: [(until: MonotonicTime, continuation: CheckedContinuation<Void, Never>)] =
        []
    private var isArmed = false
    private(set) var isStopped = false

    /// A call that a caller makes now.
    struct Call {
        /// Its number in the load.
        let sequence: Int
        let due: MonotonicTime
        /// The index of its method.
        let method: Int
        /// How many calls of the method came before it, counting all loops.
        let turn: Int
        /// The index of the stage in which it was due.
        let stage: Int
    }

    init(
        _ pace: LoadPace, _ stages: LoadStages, weights: [Int], loop: Int, loops: Int,
        on reactor: Reactor
    ) {
        (self.pace, self.stages) = (pace, stages)
        choice = WeightedChoice(weights)
        turns = weights.map { _ in loop }
        (self.loop, self.loops) = (loop, loops)
        self.reactor = reactor
    }

    /// Waits until a call is due that the caller is free for; nil: there are no calls left.
    ///
    /// - Parameters:
    ///   - time: now.
    ///   - caller: the number of the caller, of those of all loops.
    ///   - isFirst: whether the caller has made no call yet, and so has been free all the time.
    func next(_ time: MonotonicTime, caller: Int, isFirst: Bool) async -> Call? {
        var now = time
        while true {
            guard !isStopped, let turn = stages.turn(ofCaller: caller, now, since: pace.start)
            else { return nil }
            if turn <= now { break }
            await park(until: turn, now)
            now = SystemTimeSource().monotonic()
        }
        switch pace.next(now, hasWaited: isFirst) {
        case .begin(let sequence, let due): return call(sequence, due)
        case .end: return nil
        case .wait(let time):
            return await withCheckedContinuation { continuation in
                waiting.append(continuation)
                arm(until: time, now)
            }
        }
    }

    private func call(_ sequence: Int, _ due: MonotonicTime) -> Call {
        let method = choice.next()
        defer { turns[method] += loops }
        stage = stages.index(of: due - pace.start, after: stage)
        return Call(
            sequence: sequence, due: due, method: method, turn: turns[method], stage: stage)
    }

    private func park(until time: MonotonicTime, _ now: MonotonicTime) async {
        await withCheckedContinuation { continuation in
            parked.append((time, continuation))
            reactor.schedule(after: time - now, label: "load caller") { [self] _ in
                // A timer may fire a little early: then the caller parks again.
                unpark(until: time)
            }
        }
    }

    private func unpark(until time: MonotonicTime) {
        let due = parked.filter { $0.until <= time }
        parked.removeAll { $0.until <= time }
        for caller in due { caller.continuation.resume() }
    }

    /// The number of this loop's calls that were due and never begun; see `LoadPace`.
    func notBegun(since first: MonotonicTime) -> Int { isStopped ? 0 : pace.notBegun(since: first) }

    /// Begins no further call.
    func stop() {
        isStopped = true
        endWaiting()
        unpark(until: .distantFuture)
    }

    private func endWaiting() {
        let all = waiting
        waiting = []
        for continuation in all { continuation.resume(returning: nil) }
    }

    private func arm(until time: MonotonicTime, _ now: MonotonicTime) {
        if isArmed { return }
        isArmed = true
        reactor.schedule(after: time - now, label: "load schedule") { [self] _ in
            isArmed = false
            wake(SystemTimeSource().monotonic())
        }
    }

    /// Hands the calls that are due to callers that wait.
    private func wake(_ now: MonotonicTime) {
        while !waiting.isEmpty {
            switch pace.next(now, hasWaited: true) {
            case .begin(let sequence, let due):
                waiting.removeLast().resume(returning: call(sequence, due))
            case .wait(let time): return arm(until: time, now)
            case .end: endWaiting()
            }
        }
    }
}
