@_spi(Simulation) import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@Suite(.oneAtATime) struct LoopEndTests {
    private final class Probe: LoopEndHandler {
        var notifications = 0
        var onEnd: ((Reactor) -> Void)?
        func loopEnding(on reactor: Reactor) {
            notifications += 1
            onEnd?(reactor)
        }
    }

    /// Observes the end of the loop from the next tick end on.
    private final class LateProbe: TickEndHandler, LoopEndHandler {
        var notifications = 0
        func tickEnding(on reactor: Reactor) { reactor.observeLoopEnd(self) }
        func loopEnding(on reactor: Reactor) {
            notifications += 1
            reactor.stopObservingLoopEnd(self)
        }
    }

    private func end(_ hand: HandDrivenLoop) {
        hand.loop.stop()
        hand.loop.run()
    }

    @Test("Notifies loop-end handlers after the tasks that were accepted")
    func handlersAreNotifiedAfterAcceptedTasks() throws {
        let hand = try HandDrivenLoop()
        let log = EventLog()
        let probe = Probe()
        probe.onEnd = { [weak probe] reactor in
            log.record("end")
            if let probe { reactor.stopObservingLoopEnd(probe) }
        }
        hand.reactor.observeLoopEnd(probe)
        hand.loop.execute { _ in log.record("task") }
        end(hand)
        #expect(log.lines == ["task", "end"])
    }

    @Test("Does not notify a handler that stopped observing")
    func removedHandlersAreNotNotified() throws {
        let hand = try HandDrivenLoop()
        let probe = Probe()
        hand.reactor.observeLoopEnd(probe)
        hand.reactor.stopObservingLoopEnd(probe)
        end(hand)
        #expect(probe.notifications == 0)
    }

    @Test("Runs the tasks and tick ends that a loop-end handler queues")
    func workQueuedAtTheEndRuns() throws {
        let hand = try HandDrivenLoop()
        let probe = Probe()
        let recorder = RecordingHandler()
        let ran = Counter()
        probe.onEnd = { reactor in
            reactor.stopObservingLoopEnd(probe)
            reactor.observeTickEnd(recorder)
            #expect(reactor.loop.execute { _ in ran.add(1) })
        }
        hand.reactor.observeLoopEnd(probe)
        end(hand)
        #expect(ran.value == 1 && recorder.tickEnds == 1)
        #expect(!hand.loop.execute { _ in ran.add(1) })
        #expect(ran.value == 1)
        probe.onEnd = nil
    }

    @Test("Notifies a loop-end handler that was added while the loop ends")
    func lateHandlersAreNotified() throws {
        let hand = try HandDrivenLoop()
        let probe = Probe()
        let late = LateProbe()
        probe.onEnd = { reactor in
            reactor.stopObservingLoopEnd(probe)
            reactor.observeTickEnd(late)
        }
        hand.reactor.observeLoopEnd(probe)
        end(hand)
        #expect(probe.notifications == 1)
        #expect(late.notifications == 1)
        probe.onEnd = nil
    }

    @Test("Releases what other layers keep with the loop")
    func attachmentsAreReleased() throws {
        final class Attached {}
        let hand = try HandDrivenLoop()
        weak let attached = hand.reactor.attachment(Attached.self) { _ in Attached() }
        #expect(attached != nil)
        #expect(hand.reactor.attachment(Attached.self) { _ in Attached() } === attached)
        end(hand)
        #expect(attached == nil)
    }

    @Test("Releases what other layers keep in the reverse order of its making")
    func attachmentsAreReleasedInOrder() throws {
        class Attached {
            var released: (() -> Void)?
            deinit { released?() }
        }
        final class A: Attached {}
        final class B: Attached {}
        final class C: Attached {}
        final class D: Attached {}
        let hand = try HandDrivenLoop()
        var order: [String] = []
        func attach<Kind: Attached>(_ kind: Kind.Type, _ make: @escaping () -> Kind) {
            hand.reactor.attachment(kind) { _ in make() }.released = { order.append("\(kind)") }
        }
        attach(C.self) { C() }
        attach(A.self) { A() }
        attach(D.self) { D() }
        attach(B.self) { B() }
        end(hand)
        #expect(order == ["B", "D", "A", "C"])
    }

    @Test("What arrives after the end runs where the configuration says")
    func lateJobs() throws {
        let late = Locked<[@Sendable () -> Void]>([])
        var configuration = EventLoopConfiguration()
        configuration.runAfterEnd = { body in late.withLock { $0.append(body) } }
        let hand = try HandDrivenLoop(configuration: configuration)
        end(hand)
        let ran = Counter()
        Task(executorPreference: hand.loop) { ran.add(1) }
        #expect(ran.value == 0)
        let waiting = late.withLock { $0 }
        #expect(waiting.count == 1)
        for body in waiting { body() }
        #expect(ran.value == 1)
    }

    @Test("Releases loop-end handlers afterwards")
    func handlersAreReleased() throws {
        let hand = try HandDrivenLoop()
        weak var weakProbe: Probe?
        do {
            let probe = Probe()
            weakProbe = probe
            hand.reactor.observeLoopEnd(probe)
        }
        #expect(weakProbe != nil)
        end(hand)
        #expect(weakProbe == nil)
    }
}
