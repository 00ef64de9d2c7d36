import RocketSystem
import Testing

@testable import OrderStore

@Suite struct WaitingQueueTests {
    @Test func aQuestionIsAnsweredByTheThreadThatTakes() throws {
        let queue = WaitingQueue<Int>(limit: 1)
        _ = queue.append(7)
        let answers = Locked(0)
        queue.ask { answers.withLock { $0 += 1 } }
        #expect(answers.withLock { $0 } == 0)
        var batch: [Int] = []
        #expect(queue.take(upTo: 8, into: &batch))
        #expect(batch == [7])
        #expect(answers.withLock { $0 } == 1)
    }

    @Test func aQuestionWakesASleeperAndIsNoItem() throws {
        let queue = WaitingQueue<Int>(limit: 1)
        let answered = FutexWord()
        let thread = try SystemThread(name: "taker") {
            var batch: [Int] = []
            while queue.take(upTo: 8, into: &batch) {}
        }
        for round in 0..<100 as Range<UInt32> {
            queue.ask {
                answered.increment()
                answered.wakeAll()
            }
            while answered.value == round { answered.wait(while: round, atMost: nil) }
        }
        queue.close()
        thread.join()
    }

    @Test func aClosedQueueAnswersAtOnce() {
        let queue = WaitingQueue<Int>(limit: 1)
        queue.close()
        let answers = Locked(0)
        queue.ask { answers.withLock { $0 += 1 } }
        #expect(answers.withLock { $0 } == 1)
    }
}
