import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

/// Counts the warnings in the log.
private final class LineCount: LogSink, Sendable {
    let count = Counter()
    let lostLines: UInt64 = 0
    func write(_ event: borrowing LogEvent) { if event.level == .warn { count.add(1) } }
    func endBatch() -> LogSinkNotice? { nil }
}

@Suite(.oneAtATime) struct TaskLimitTests {
    private func hand(limit: Int, perTick: Int = 1024) throws -> HandDrivenLoop {
        var configuration = EventLoopConfiguration()
        configuration.taskLimit = limit
        configuration.tasksPerTick = perTick
        return try HandDrivenLoop(configuration: configuration)
    }

    /// Offers tasks from another thread; returns how many were accepted, refused as full, and as
    /// ended.
    private func offers(_ count: Int, to loop: EventLoop, _ ran: Counter) throws -> [Int] {
        let seen = Shared([0, 0, 0])
        try SystemThread(name: "test-offer") {
            for _ in 0..<count {
                let index =
                    switch loop.offer({ _ in ran.add(1) }) {
                    case .accepted: 0
                    case .full: 1
                    case .ended: 2
                    }
                seen.withLock { $0[index] += 1 }
            }
        }.join()
        return seen.withLock { $0 }
    }

    @Test("Refuses offers at the limit and accepts them again below it")
    func offersAreRefusedAtTheLimitAndTakenAgainBelowIt() throws {
        let hand = try hand(limit: 10, perTick: 4)
        let ran = Counter()
        #expect(try offers(12, to: hand.loop, ran) == [10, 2, 0])
        hand.tick()
        #expect(ran.value == 4)
        #expect(try offers(12, to: hand.loop, ran) == [4, 8, 0])
        hand.tickUntilIdle()
        #expect(ran.value == 14)
        #expect(hand.loop.statistics.refusedTasks == 10)
        #expect(hand.loop.statistics.mostTasksWaiting == 10)
        #expect(try offers(10, to: hand.loop, ran) == [10, 0, 0])
        hand.tickUntilIdle()
    }

    @Test("Limits the loop's own offers, too")
    func theLoopsOwnOffersAreLimitedToo() throws {
        let hand = try hand(limit: 3)
        let results = (0..<5).map { _ in hand.loop.offer { _ in } }
        #expect(results == [.accepted, .accepted, .accepted, .full, .full])
        hand.tickUntilIdle()
    }

    @Test("Counts the tasks of earlier ticks together with those that have just arrived")
    func tasksOfEarlierTicksCount() throws {
        let hand = try hand(limit: 10, perTick: 4)
        let ran = Counter()
        #expect(try offers(10, to: hand.loop, ran) == [10, 0, 0])
        hand.tick()
        #expect(try offers(4, to: hand.loop, ran) == [4, 0, 0])
        // Within the next tick 6 tasks of the last one and the 4 new ones wait.
        let endpoint = try Endpoint(on: hand.reactor) { [self] endpoint, _ in
            endpoint.read()
            #expect((try? offers(1, to: hand.loop, ran)) == [0, 1, 0])
        }
        endpoint.poke()
        hand.tick()
        endpoint.cancelAndClose()
        hand.tickUntilIdle()
    }

    @Test("Does not apply the limit to execute and to jobs")
    func executeIsNotLimited() throws {
        let hand = try hand(limit: 1, perTick: 10)
        let ran = Counter()
        for _ in 0..<100 { #expect(hand.loop.execute { _ in ran.add(1) }) }
        let task = Task(executorPreference: hand.loop) { ran.add(1) }
        hand.tick()
        #expect(try offers(1, to: hand.loop, ran) == [0, 1, 0])
        hand.tickUntilIdle()
        #expect(ran.value == 101)
        withExtendedLifetime(task) {}
    }

    @Test("Refuses offers as ended after the end of the loop")
    func offersAfterTheEnd() throws {
        let hand = try hand(limit: 1)
        hand.loop.stop()
        hand.loop.run()
        #expect(try offers(2, to: hand.loop, Counter()) == [0, 0, 2])
    }

    @Test("Logs one line each time that the queue reaches its limit")
    func aQueueThatIsTooLongIsLoggedOncePerTime() throws {
        let lines = LineCount()
        var logging = LogConfiguration()
        logging.outputs = []
        let logs = try LogSystem(logging, sinks: [lines])
        var configuration = EventLoopConfiguration()
        configuration.taskLimit = 10
        configuration.tasksPerTick = 1
        let hand = try HandDrivenLoop(configuration: configuration, logger: logs.app)
        func flood() throws {
            for _ in 0..<12 { hand.loop.execute { _ in } }
        }
        try flood()
        for _ in 0..<3 { hand.tick() }
        try flood()
        hand.tick()
        logs.app.flush()
        #expect(lines.count.value == 1)
        hand.tickUntilIdle()
        try flood()
        hand.tick()
        hand.tickUntilIdle()
        logs.shutdown()
        #expect(lines.count.value == 2)
    }

    @Test("Logs the next line once the queue was down to half the limit, and not before")
    func halfTheLimit() throws {
        for (ticks, expected) in [(6, 1), (7, 2)] {
            let lines = LineCount()
            var logging = LogConfiguration()
            logging.outputs = []
            let logs = try LogSystem(logging, sinks: [lines])
            var configuration = EventLoopConfiguration()
            configuration.taskLimit = 10
            configuration.tasksPerTick = 1
            let hand = try HandDrivenLoop(configuration: configuration, logger: logs.app)
            for _ in 0..<12 { hand.loop.execute { _ in } }
            for _ in 0..<ticks { hand.tick() }
            for _ in 0..<12 { hand.loop.execute { _ in } }
            hand.tick()
            logs.shutdown()
            #expect(lines.count.value == expected)
            hand.tickUntilIdle()
        }
    }
}
