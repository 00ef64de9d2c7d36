import RocketReactor
import RocketReactorTestKit
import Testing

@Suite(.oneAtATime) struct LoopEndTests {
    private final class Witness: LoopEndHandler {
        var told = 0
        var onEnd: ((Reactor) -> Void)?
        func loopEnding(on reactor: Reactor) {
            told += 1
            onEnd?(reactor)
        }
    }

    private func end(_ hand: HandDrivenLoop) {
        hand.loop.stop()
        hand.loop.run()
    }

    @Test func whoIsEnrolledIsToldAfterTheTasksThatWereAccepted() throws {
        let hand = try HandDrivenLoop()
        let journal = Journal()
        let witness = Witness()
        witness.onEnd = { [weak witness] reactor in
            journal.note("end")
            if let witness { reactor.stopObservingLoopEnd(witness) }
        }
        hand.reactor.observeLoopEnd(witness)
        hand.loop.execute { _ in journal.note("task") }
        end(hand)
        #expect(journal.lines == ["task", "end"])
    }

    @Test func whoWithdrewIsNotTold() throws {
        let hand = try HandDrivenLoop()
        let witness = Witness()
        hand.reactor.observeLoopEnd(witness)
        hand.reactor.stopObservingLoopEnd(witness)
        end(hand)
        #expect(witness.told == 0)
    }

    @Test func whatTheEndBringsIsStillRun() throws {
        let hand = try HandDrivenLoop()
        let witness = Witness()
        let recorder = RecordingHandler()
        let ran = Counter()
        witness.onEnd = { reactor in
            reactor.stopObservingLoopEnd(witness)
            reactor.observeTickEnd(recorder)
            #expect(reactor.loop.execute { _ in ran.add(1) })
        }
        hand.reactor.observeLoopEnd(witness)
        end(hand)
        #expect(ran.value == 1 && recorder.tickEnds == 1)
        #expect(!hand.loop.execute { _ in ran.add(1) })
        #expect(ran.value == 1)
        witness.onEnd = nil
    }

    @Test func nothingHoldsAHandlerAfterwards() throws {
        let hand = try HandDrivenLoop()
        weak var weakWitness: Witness?
        do {
            let witness = Witness()
            weakWitness = witness
            hand.reactor.observeLoopEnd(witness)
        }
        #expect(weakWitness != nil)
        end(hand)
        #expect(weakWitness == nil)
    }
}
