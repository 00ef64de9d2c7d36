import RocketSystem
import Testing

@testable import OrderStore

@Suite("WaitingQueue") struct WaitingQueueTests {
    @Test("Completes a probe on the thread that takes items")
    func probe() throws {
        let queue = WaitingQueue<Int>(limit: 1)
        _ = queue.append(7)
        let completions = Locked(0)
        queue.probe { completions.withLock { $0 += 1 } }
        #expect(completions.withLock { $0 } == 0)
        var batch: [Int] = []
        #expect(queue.take(upTo: 8, into: &batch))
        #expect(batch == [7])
        #expect(completions.withLock { $0 } == 1)
    }

    @Test("A probe wakes a sleeping thread and is not an item")
    func probeOfSleepingThread() throws {
        let queue = WaitingQueue<Int>(limit: 1)
        let completed = FutexWord()
        let thread = try SystemThread(name: "taker") {
            var batch: [Int] = []
            while queue.take(upTo: 8, into: &batch) {}
        }
        for round in 0..<100 as Range<UInt32> {
            queue.probe {
                completed.increment()
                completed.wakeAll()
            }
            while completed.value == round { completed.wait(while: round, atMost: nil) }
        }
        queue.close()
        thread.join()
    }

    @Test("Completes a probe of a closed queue at once")
    func probeOfClosedQueue() {
        let queue = WaitingQueue<Int>(limit: 1)
        queue.close()
        let completions = Locked(0)
        queue.probe { completions.withLock { $0 += 1 } }
        #expect(completions.withLock { $0 } == 1)
    }
}
