import OrderStore
import OrderStoring
import RocketReactor
import RocketSimulation
import RocketSystem

/// Runs the workers of a store as tasks and timers of an event loop. What a step has done takes
/// virtual time before the next one: callers whose orders were committed wait for the disk. Any
/// thread.
final class LoopExecutor: StoreExecutor {
    private let loop: EventLoop
    private let time: any TimeSource
    private let workTime: ClosedRange<Duration>
    private let generator: Locked<SeededGenerator>
    private let whenFinished: @Sendable () -> Void
    /// Those that have not finished.
    private let workers = Locked<[LoopWorker]>([])

    /// - Parameters:
    ///   - time: the clock of the loop.
    ///   - workTime: how long the work of a step takes.
    ///   - whenFinished: called when all workers have finished.
    init(
        _ loop: EventLoop, time: any TimeSource, workTime: ClosedRange<Duration>,
        _ generator: SeededGenerator, whenFinished: @escaping @Sendable () -> Void
    ) {
        self.loop = loop
        self.time = time
        self.workTime = workTime
        self.generator = Locked(generator)
        self.whenFinished = whenFinished
    }

    func start(_ name: String, _ worker: some StoreWorker) {
        let worker = LoopWorker(worker, of: self)
        workers.withLock { $0.append(worker) }
        worker.wake()
    }

    func ended() async { for worker in all { await worker.ended() } }

    /// Runs the steps of all workers to their end now. Their queues are closed. Not within a step.
    func finish() { for worker in all { worker.finish() } }

    private var all: [LoopWorker] { workers.withLock { $0 } }

    /// Releases a worker, which refers to the executor.
    fileprivate func finished(_ worker: LoopWorker) {
        let isLast = workers.withLock { workers in
            workers.removeAll { $0 === worker }
            return workers.isEmpty
        }
        if isLast { whenFinished() }
    }

    fileprivate func nextWorkTime() -> Duration {
        generator.withLock { [workTime] in $0.duration(in: workTime) }
    }

    fileprivate func execute(_ body: @escaping @Sendable () -> Void) {
        loop.execute { _ in body() }
    }

    fileprivate func schedule(
        after delay: Duration, _ body: @escaping @Sendable () -> Void
    ) -> LoopTimer {
        loop.schedule(after: delay, label: "order store") { _ in body() }
    }

    fileprivate func duration(until deadline: MonotonicTime) -> Duration {
        deadline - time.monotonic()
    }
}

/// A worker that sleeps, waits for its next step, or runs one. Any thread wakes it.
private final class LoopWorker: WorkerHandle {
    private struct State {
        /// Nil while a step runs.
        var worker: (any StoreWorker)?
        var isSleeping = true
        /// Whether it was woken while it did not sleep.
        var isWoken = false
        /// The timer of its next step.
        var timer: LoopTimer?
    }

    private let executor: LoopExecutor
    private let state: Locked<State>
    private let end = AsyncEvent()

    init(_ worker: some StoreWorker, of executor: LoopExecutor) {
        self.executor = executor
        state = Locked(State(worker: worker))
    }

    func ended() async { await end.wait() }

    func wake() {
        let wasSleeping = state.withLock { state in
            defer {
                state.isWoken = !state.isSleeping
                state.isSleeping = false
            }
            return state.isSleeping
        }
        if wasSleeping { executor.execute { self.run() } }
    }

    private func run() {
        guard let step = step() else { return }
        switch step {
        case .again: arm(after: executor.nextWorkTime())
        case .finished: finished()
        case .sleep(let deadline):
            let isWoken = state.withLock { state in
                defer { state.isWoken = false }
                state.isSleeping = !state.isWoken
                return state.isWoken
            }
            if isWoken { return executor.execute { self.run() } }
            if let deadline { arm(after: executor.duration(until: deadline)) }
        }
    }

    /// Runs a step now, in place of one that a timer has.
    ///
    /// - Returns: nil if it has finished.
    private func step() -> WorkerStep? {
        let worker = state.withLock { state in
            state.timer?.cancel()
            state.timer = nil
            state.isSleeping = false
            return state.worker.take()
        }
        guard var worker else { return nil }
        let step = worker.step(for: self)
        state.withLock { [worker] in $0.worker = worker }
        return step
    }

    private func arm(after delay: Duration) {
        let timer = executor.schedule(after: delay) { self.run() }
        state.withLock { $0.timer = timer }
    }

    private func finished() {
        state.withLock { $0.worker = nil }
        executor.finished(self)
        end.fire()
    }

    func finish() {
        while let step = step() { if step == .finished { return finished() } }
    }
}
