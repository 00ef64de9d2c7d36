import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@Suite(.oneAtATime) struct TickOrderTests {
    @Test("Runs I/O, timers, tasks and tick ends in this order")
    func aTickIsIOThenTimersThenTasksThenTickEnds() throws {
        let hand = try HandDrivenLoop()
        let log = EventLog()
        let tickEnd = RecordingHandler()
        tickEnd.onTickEnd = { _ in log.record("tick end") }
        hand.reactor.observeTickEnd(tickEnd)
        hand.loop.execute { _ in log.record("task") }
        hand.reactor.schedule(after: .milliseconds(1)) { _ in log.record("timer") }
        let endpoint = try Endpoint(on: hand.reactor) { endpoint, _ in
            endpoint.read()
            log.record("io")
        }
        endpoint.poke()
        hand.tick(after: .milliseconds(1))
        #expect(log.lines == ["io", "timer", "task", "tick end"])
        endpoint.cancelAndClose()
    }

    @Test("Never runs a task of execute inline")
    func executeNeverRunsInline() throws {
        let hand = try HandDrivenLoop()
        let log = EventLog()
        hand.loop.execute { reactor in
            reactor.loop.execute { _ in log.record("inner") }
            log.record("outer")
        }
        #expect(log.lines.isEmpty)
        hand.tick()
        #expect(log.lines == ["outer", "inner"])
    }

    @Test("Runs tasks of tick ends in the same tick, and then their tick ends")
    func tasksOfTickEndsRunInTheSameTickAndThenTheirTickEnds() throws {
        let hand = try HandDrivenLoop()
        let log = EventLog()
        let second = RecordingHandler()
        second.onTickEnd = { _ in log.record("second tick end") }
        let carried = LoopBound(second, on: hand.reactor)
        let first = RecordingHandler()
        first.onTickEnd = { reactor in
            log.record("first tick end")
            reactor.loop.execute { reactor in
                log.record("task")
                reactor.observeTickEnd(carried.get())
            }
        }
        hand.reactor.observeTickEnd(first)
        #expect(hand.tick().tasks == 1)
        #expect(log.lines == ["first tick end", "task", "second tick end"])
    }

    @Test("Calls a tick-end handler once per observeTickEnd")
    func tickEndsAreCalledOnce() throws {
        let hand = try HandDrivenLoop()
        let handler = RecordingHandler()
        hand.reactor.observeTickEnd(handler)
        hand.tick()
        hand.tick()
        #expect(handler.tickEnds == 1)
    }

    @Test("Runs at most one batch of tasks per tick")
    func oneTickRunsOneBatchAtMost() throws {
        var configuration = EventLoopConfiguration()
        configuration.tasksPerTick = 10
        let hand = try HandDrivenLoop(configuration: configuration)
        let log = EventLog()
        for number in 0..<25 { hand.loop.execute { _ in log.record("\(number)") } }
        #expect(hand.tick().tasks == 10)
        #expect(hand.tick().tasks == 10)
        #expect(hand.tick().tasks == 5)
        #expect(hand.tick().isIdle)
        #expect(log.lines == (0..<25).map(String.init))
    }

    @Test("Delivers I/O beside a task that sends itself for ever")
    func endlessTasksDoNotBlockIO() throws {
        var configuration = EventLoopConfiguration()
        configuration.tasksPerTick = 10
        let hand = try HandDrivenLoop(configuration: configuration)
        @Sendable func again(_ reactor: Reactor) { reactor.loop.execute(again) }
        hand.loop.execute(again)
        let endpoint = try Endpoint(on: hand.reactor) { endpoint, _ in endpoint.read() }
        #expect(hand.tick().tasks == 10)
        endpoint.poke()
        hand.tick()
        #expect(endpoint.events == [.readable])
        endpoint.cancelAndClose()
    }

    @Test("Ends the tick although a tick-end handler observes the next one each time")
    func endlessTickEndsDoNotBlockIO() throws {
        let hand = try HandDrivenLoop()
        let handler = RecordingHandler()
        handler.onTickEnd = { $0.observeTickEnd(handler) }
        hand.reactor.observeTickEnd(handler)
        hand.tick()
        #expect(handler.tickEnds <= EventLoopConfiguration().tasksPerTick)
        handler.onTickEnd = nil
    }

    @Test("Keeps the time constant within a tick")
    func timeStandsStillWithinATick() throws {
        let hand = try HandDrivenLoop()
        let clock = hand.clock
        hand.loop.execute { reactor in
            let before = reactor.now
            clock.advance(by: .seconds(1))
            #expect(reactor.now == before)
        }
        let before = hand.reactor.now
        hand.tick()
        hand.tick()
        #expect(hand.reactor.now - before == .seconds(1))
    }
}
