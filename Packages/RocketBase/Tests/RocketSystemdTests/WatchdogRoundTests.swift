import RocketBase
import RocketSystem
import Testing

@testable import RocketSystemd

/// A part that answers when the test says so.
private final class Part: Sendable {
    private let waiting = Locked<[@Sendable () -> Void]>([])

    func part(_ name: String) -> WatchdogTarget {
        WatchdogTarget(name: name) { answer in self.waiting.withLock { $0.append(answer) } }
    }

    func answerOldest() { waiting.withLock { $0.removeFirst() }() }
}

@Suite struct WatchdogRoundTests {
    @Test func nobodyIsSilentBeforeTheFirstQuestion() {
        let watch = WatchdogRound()
        watch.add(Part().part("loop"))
        #expect(watch.silent == [])
    }

    @Test func whoHasNotAnsweredIsNamed() {
        let watch = WatchdogRound()
        let (loop, store) = (Part(), Part())
        watch.add(loop.part("loop"))
        watch.add(store.part("store"))
        watch.ask()
        #expect(watch.silent == ["loop", "store"])
        store.answerOldest()
        #expect(watch.silent == ["loop"])
        loop.answerOldest()
        #expect(watch.silent == [])
    }

    @Test func anAnswerToAnEarlierQuestionDoesNotCount() {
        let watch = WatchdogRound()
        let loop = Part()
        watch.add(loop.part("loop"))
        watch.ask()
        watch.ask()
        loop.answerOldest()
        #expect(watch.silent == ["loop"])
        loop.answerOldest()
        #expect(watch.silent == [])
    }

    @Test func aPartThatHasEndedMayAnswerAtOnce() {
        let watch = WatchdogRound()
        watch.add(WatchdogTarget(name: "ended") { $0() })
        watch.ask()
        #expect(watch.silent == [])
    }
}
