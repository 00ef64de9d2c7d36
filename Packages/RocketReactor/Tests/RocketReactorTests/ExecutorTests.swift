import RocketReactor
import RocketReactorTestKit
import Synchronization
import Testing

/// An actor that is pinned to a loop.
private actor Pinned {
    let loop: EventLoop
    var calls = 0

    init(loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    func call() -> Bool {
        calls += 1
        return loop.isInLoop
    }

    /// Calls a handler inline, as a handler task does.
    func drive(_ times: Int) async -> Int {
        var answered = 0
        for _ in 0..<times where await answer() { answered += 1 }
        return answered
    }

    nonisolated func assume() { assumeIsolated { _ in } }

    private nonisolated func answer() async -> Bool { loop.isInLoop }
}

@concurrent private func anywhere(_ loop: EventLoop) async -> Bool { loop.isInLoop }

@Suite(.oneAtATime) struct ExecutorTests {
    @Test("Runs an actor that is pinned to a loop on that loop")
    func anActorPinnedToALoopRunsOnIt() async throws {
        let thread = try IOThread(name: "test-actor")
        let pinned = Pinned(loop: thread.loop)
        for _ in 0..<100 { #expect(await pinned.call()) }
        #expect(await pinned.calls == 100)
        thread.stop()
        await thread.ended()
    }

    @Test("Runs a task that prefers a loop on that loop")
    func aTaskThatPrefersALoopRunsOnIt() async throws {
        let thread = try IOThread(name: "test-task")
        let loop = thread.loop
        let all = await Task(executorPreference: loop) {
            var all = loop.isInLoop
            for _ in 0..<100 where await !anywhere(loop) { all = false }
            return all
        }.value
        #expect(all)
        thread.stop()
        await thread.ended()
    }

    @Test("Takes one job in all for calls that do not suspend")
    func callsThatDoNotSuspendTakeOneJobInAll() throws {
        let hand = try HandDrivenLoop()
        let loop = hand.loop
        let pinned = Pinned(loop: loop)
        let done = Counter()
        // Both tasks are enqueued at once, in this order, by this thread.
        let preferring = Task(executorPreference: loop) {
            for _ in 0..<100 where await anywhere(loop) { done.add(1) }
        }
        #expect(hand.tick().tasks == 1)
        #expect(done.value == 100)
        // One job for the task, one for the actor, one to return: none per handler.
        let driving = Task(executorPreference: loop) {
            done.add(await pinned.drive(100))
        }
        #expect(hand.tick().tasks == 3)
        #expect(done.value == 200)
        withExtendedLifetime((preferring, driving)) {}
    }

    @Test("Runs jobs and closures in the order in which they were sent")
    func jobsAndClosuresRunInTheOrderTheyWereSent() throws {
        let hand = try HandDrivenLoop()
        let log = EventLog()
        hand.loop.execute { _ in log.record("closure") }
        let task = Task(executorPreference: hand.loop) { log.record("job") }
        hand.loop.execute { _ in log.record("closure") }
        hand.tick()
        #expect(log.lines == ["closure", "job", "closure"])
        withExtendedLifetime(task) {}
    }

    @Test("Lets a callback assume the isolation of an actor of its loop")
    func aCallbackMayAssumeTheIsolationOfAnActorOfItsLoop() throws {
        let hand = try HandDrivenLoop()
        let pinned = Pinned(loop: hand.loop)
        let calls = Counter()
        hand.loop.execute { _ in
            let isInLoop = pinned.assumeIsolated { $0.call() }
            calls.add(isInLoop ? 1 : 0)
        }
        hand.tick()
        #expect(calls.value == 1)
    }

    @Test("Traps when isolation is assumed on another thread")
    func assumingIsolationElsewhereTraps() async {
        await #expect(processExitsWith: .failure) {
            let loop = try EventLoop(name: "not driven")
            Pinned(loop: loop).assume()
        }
    }

    @Test("Runs the jobs of an actor that outlives its loop")
    func anActorOutlivesItsLoop() async throws {
        let thread = try IOThread(name: "test-late")
        let pinned = Pinned(loop: thread.loop)
        thread.stop()
        await thread.ended()
        #expect(!thread.loop.execute { _ in })
        // No job is lost: other threads drive the ended loop for them.
        let calls = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 { group.addTask { await pinned.call() } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(calls == 100)
        #expect(await pinned.calls == 100)
    }
}
