import RocketSystem

/// What became of a task that was offered to a loop.
public enum TaskAdmission: Sendable {
    /// It will run.
    case accepted
    /// `taskLimit` tasks wait already: it will not run.
    case full
    /// The loop has ended: it will not run.
    case ended
}

extension EventLoop {
    /// Runs `task` on the loop's thread, later: never inline, also when called there. Tasks of one
    /// sender run in the order they were sent.
    ///
    /// For what has to be done while the loop lives: to end, to release, to answer, to go on with
    /// something that was counted where it began. It is not refused at `taskLimit`. New work from
    /// outside goes through `offer`.
    ///
    /// - Returns: false when the loop has ended and the task will not run; any task that was
    ///   accepted is run.
    @discardableResult
    public func execute(_ task: @escaping @Sendable (Reactor) -> Void) -> Bool {
        send(.closure(task), isJob: false)
    }

    /// As `execute`, for new work that somebody else sets the pace of: refused while `taskLimit`
    /// tasks wait (those that the loop has sent itself are seen from its next tick on). Whoever is
    /// refused drops it, says so, or comes back later.
    public func offer(_ task: @escaping @Sendable (Reactor) -> Void) -> TaskAdmission {
        let limit = max(1, configuration.taskLimit)
        if isInLoop, !hasEnded, let ownReactor {
            if unsafe ownReactor.tasks.count >= limit { return refuse() }
            unsafe ownReactor.tasks.append(.closure(task))
            return .accepted
        }
        switch inbox.append(.closure(task), isJob: false, limit: limit) {
        case .queued: wakeup.wakeIfAsleep()
        case .queuedAfterEnd, .refused: return .ended
        case .full: return refuse()
        }
        return .accepted
    }

    private func refuse() -> TaskAdmission {
        counters.countRefusal()
        return .full
    }

    func send(_ task: consuming sending LoopTask, isJob: Bool) -> Bool {
        if isInLoop, !hasEnded, let ownReactor {
            unsafe ownReactor.tasks.append(task)
            return true
        }
        switch inbox.append(task, isJob: isJob) {
        case .queued: wakeup.wakeIfAsleep()
        case .queuedAfterEnd: Task.detached { self.runLateJobs() }
        case .refused, .full: return false
        }
        return true
    }

    /// Runs what is queued once the loop was told to stop, tells of the end, runs what that
    /// brings, and closes.
    func finish() {
        let reactor = self.reactor
        settle(reactor)
        reactor.tellLoopEnd()
        settle(reactor)
        // Whoever goes on sending is told from now on that it is too late.
        inbox.end()
        hasEnded = true
        reactor.runRest()
        // The last tasks may have opened something.
        reactor.tellLoopEnd()
        reactor.runRest()
        reactor.tearDown()
    }

    private func settle(_ reactor: Reactor) {
        for _ in 0..<Self.ticksToFinish where reactor.hasWork { _ = reactor.tick(waitingAtMost: 0) }
    }

    /// An actor may outlive the loop that it is pinned to, and a task the loop that it prefers.
    /// Their jobs can't be refused, since that would leave a task hanging for ever: when the loop
    /// has ended, they run one after another on some thread that drives it for the while.
    func runLateJobs() {
        while !inbox.isEmpty, claimIfFree() {
            reactor.runRest()
            release()
        }
    }

    /// Rounds for tasks that send further tasks while the loop finishes.
    static var ticksToFinish: Int { 64 }
}

extension Reactor {
    /// Runs all tasks and tick ends, and what these bring in so many rounds.
    func runRest() {
        for _ in 0..<EventLoop.ticksToFinish where hasWork {
            takeTasks()
            while let task = unsafe tasks.popFirst() { perform(task) }
            runTickEnds()
        }
    }
}
