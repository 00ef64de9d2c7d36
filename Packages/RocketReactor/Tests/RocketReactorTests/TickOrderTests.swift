import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@Suite(.oneAtATime) struct TickOrderTests {
    @Test func aTickIsIOThenTimersThenTasksThenTickEnds() throws {
        let hand = try HandDrivenLoop()
        let journal = Journal()
        let tickEnd = RecordingHandler()
        tickEnd.onTickEnd = { _ in journal.note("tick end") }
        hand.reactor.observeTickEnd(tickEnd)
        hand.loop.execute { _ in journal.note("task") }
        hand.reactor.schedule(after: .milliseconds(1)) { _ in journal.note("timer") }
        let endpoint = try Endpoint(on: hand.reactor) { endpoint, _ in
            endpoint.read()
            journal.note("io")
        }
        endpoint.poke()
        hand.tick(after: .milliseconds(1))
        #expect(journal.lines == ["io", "timer", "task", "tick end"])
        endpoint.cancelAndClose()
    }

    @Test func executeNeverRunsInline() throws {
        let hand = try HandDrivenLoop()
        let journal = Journal()
        hand.loop.execute { reactor in
            reactor.loop.execute { _ in journal.note("inner") }
            journal.note("outer")
        }
        #expect(journal.lines.isEmpty)
        hand.tick()
        #expect(journal.lines == ["outer", "inner"])
    }

    @Test func tasksOfTickEndsRunInTheSameTickAndThenTheirTickEnds() throws {
        let hand = try HandDrivenLoop()
        let journal = Journal()
        let second = RecordingHandler()
        second.onTickEnd = { _ in journal.note("second tick end") }
        let carried = LoopBound(second, on: hand.reactor)
        let first = RecordingHandler()
        first.onTickEnd = { reactor in
            journal.note("first tick end")
            reactor.loop.execute { reactor in
                journal.note("task")
                reactor.observeTickEnd(carried.get())
            }
        }
        hand.reactor.observeTickEnd(first)
        #expect(hand.tick().tasks == 1)
        #expect(journal.lines == ["first tick end", "task", "second tick end"])
    }

    @Test func aTickEndIsCalledOncePerEnrolment() throws {
        let hand = try HandDrivenLoop()
        let handler = RecordingHandler()
        hand.reactor.observeTickEnd(handler)
        hand.tick()
        hand.tick()
        #expect(handler.tickEnds == 1)
    }

    @Test func oneTickRunsOneBatchAtMost() throws {
        var configuration = EventLoopConfiguration()
        configuration.tasksPerTick = 10
        let hand = try HandDrivenLoop(configuration: configuration)
        let journal = Journal()
        for number in 0..<25 { hand.loop.execute { _ in journal.note("\(number)") } }
        #expect(hand.tick().tasks == 10)
        #expect(hand.tick().tasks == 10)
        #expect(hand.tick().tasks == 5)
        #expect(hand.tick().isIdle)
        #expect(journal.lines == (0..<25).map(String.init))
    }

    @Test func aTaskThatSendsItselfForEverDoesNotHoldUpIO() throws {
        var configuration = EventLoopConfiguration()
        configuration.tasksPerTick = 10
        let hand = try HandDrivenLoop(configuration: configuration)
        @Sendable func again(_ reactor: Reactor) { reactor.loop.execute(again) }
        hand.loop.execute(again)
        let endpoint = try Endpoint(on: hand.reactor) { endpoint, _ in endpoint.read() }
        #expect(hand.tick().tasks == 10)
        endpoint.poke()
        hand.tick()
        #expect(endpoint.heard == [.readable])
        endpoint.cancelAndClose()
    }

    @Test func tickEndsThatEnrolEachOtherDoNotHoldUpIO() throws {
        let hand = try HandDrivenLoop()
        let handler = RecordingHandler()
        handler.onTickEnd = { $0.observeTickEnd(handler) }
        hand.reactor.observeTickEnd(handler)
        hand.tick()
        #expect(handler.tickEnds <= EventLoopConfiguration().tasksPerTick)
        handler.onTickEnd = nil
    }

    @Test func timeStandsStillWithinATick() throws {
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
