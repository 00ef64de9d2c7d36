import RocketBaseTestKit
@testable import RocketReactor
import RocketSystem
import Testing

@Suite struct TimerQueueTests {
    private func at(_ nanoseconds: UInt64) -> MonotonicTime {
        MonotonicTime(nanoseconds: nanoseconds)
    }

    private func soonest(_ queue: inout TimerQueue<Int>) -> MonotonicTime? {
        queue.prune()
        return queue.earliest
    }

    private func drain(_ queue: inout TimerQueue<Int>, at now: MonotonicTime) -> [Int] {
        var payloads: [Int] = []
        while let (_, payload) = queue.popExpired(now: now) { payloads.append(payload) }
        return payloads
    }

    @Test("Expires entries by deadline, then by insertion")
    func entriesComeOutByDeadlineAndThenByInsertion() {
        var queue = TimerQueue<Int>()
        for (payload, deadline) in [30, 10, 20, 10, 30, 10].enumerated() {
            _ = queue.insert(at: at(UInt64(deadline)), payload)
        }
        #expect(soonest(&queue) == at(10))
        #expect(drain(&queue, at: at(9)).isEmpty)
        #expect(drain(&queue, at: at(20)) == [1, 3, 5, 2])
        #expect(drain(&queue, at: at(100)) == [0, 4])
        #expect(queue.isEmpty && soonest(&queue) == nil)
    }

    @Test("Never matches the id of a removed entry again")
    func aRemovedEntryIsGoneAndItsIDNamesNothingAfterwards() {
        var queue = TimerQueue<Int>()
        let first = queue.insert(at: at(1), 1)
        #expect(queue.remove(first) == 1)
        let second = queue.insert(at: at(1), 2)
        #expect(queue.remove(first) == nil)
        #expect(!queue.contains(first) && queue.contains(second))
        #expect(drain(&queue, at: at(1)) == [2])
        #expect(queue.remove(second) == nil)
    }

    @Test("Returns the exact earliest deadline after prune")
    func theEarliestIsExactOncePruned() {
        var queue = TimerQueue<Int>()
        let ids = (0..<10).map { queue.insert(at: at(UInt64($0)), $0) }
        for id in ids.prefix(9).reversed() { queue.remove(id) }
        // Before prune, removed entries may make it too early.
        #expect(queue.earliest == at(0))
        #expect(soonest(&queue) == at(9))
    }

    @Test("Expires a late repeating entry once and keeps its rhythm")
    func aLateRepeatingEntryComesOutOnceAndKeepsItsRhythm() {
        var queue = TimerQueue<Int>()
        let id = queue.insert(at: at(10), every: .nanoseconds(10), 7)
        #expect(drain(&queue, at: at(55)) == [7])
        #expect(soonest(&queue) == at(60))
        #expect(drain(&queue, at: at(60)) == [7])
        #expect(soonest(&queue) == at(70))
        #expect(queue.remove(id) == 7)
        #expect(queue.isEmpty && soonest(&queue) == nil)
    }

    @Test("Removes a repeating entry while it fires")
    func aRepeatingEntryCanBeRemovedWhileItFires() {
        var queue = TimerQueue<Int>()
        _ = queue.insert(at: at(1), every: .nanoseconds(1), 1)
        let popped = queue.popExpired(now: at(1))
        if let popped { queue.remove(popped.id) }
        #expect(drain(&queue, at: at(100)).isEmpty)
    }

    @Test("Does not overflow at the end of time")
    func theEndOfTimeDoesNotOverflow() {
        var queue = TimerQueue<Int>()
        _ = queue.insert(at: .distantFuture, every: .seconds(Int64.max), 1)
        #expect(drain(&queue, at: at(.max - 1)).isEmpty)
        #expect(queue.popExpired(now: .distantFuture)?.payload == 1)
        #expect(soonest(&queue) == .distantFuture)
    }

    @Test("Bounds the memory of removed entries")
    func removedEntriesDoNotPileUp() {
        var queue = TimerQueue<Int>()
        _ = queue.insert(at: at(1), -1)
        for number in 0..<100_000 {
            let id = queue.insert(at: at(UInt64(1000 + number)), number)
            queue.remove(id)
        }
        #expect(queue.count == 1)
        #expect(queue.heap.entries.count <= 128)
        #expect(queue.slots.count <= 2)
    }

    @Test("Behaves as a sorted list does", arguments: [1, 2, 3] as [UInt64])
    func itAgreesWithASortedList(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var queue = TimerQueue<Int>()
        var model: [(deadline: UInt64, payload: Int, id: TimerID)] = []
        var now: UInt64 = 0
        for step in 0..<5_000 {
            switch random.next() % 8 {
            case 0..<4:
                let deadline = now + random.next() % 50
                model.append((deadline, step, queue.insert(at: at(deadline), step)))
            case 4..<7 where !model.isEmpty:
                let victim = model.remove(at: Int(random.next() % UInt64(model.count)))
                #expect(queue.remove(victim.id) == victim.payload)
            default:
                now += random.next() % 20
                let due = model.enumerated().filter { $0.element.deadline <= now }
                    .sorted { ($0.element.deadline, $0.offset) < ($1.element.deadline, $1.offset) }
                model.removeAll { $0.deadline <= now }
                #expect(drain(&queue, at: at(now)) == due.map(\.element.payload))
            }
            #expect(queue.count == model.count)
            #expect(soonest(&queue)?.nanoseconds == model.map(\.deadline).min())
        }
    }

    /// A million take 7.6 s unoptimised: `make bench-reactor` runs them, and checks their order.
    @Test("Expires a hundred thousand timers in order")
    func aHundredThousandTimersComeOutInOrder() {
        var queue = TimerQueue<Int>()
        var random = SplitMix(seed: 42)
        for number in 0..<100_000 {
            _ = queue.insert(at: at(random.next() % 1_000_000_000), number)
        }
        #expect(queue.count == 100_000)
        var isOrdered = true
        var popped = 0
        while let deadline = queue.earliest, queue.popExpired(now: deadline) != nil {
            popped += 1
            if let next = queue.earliest, next < deadline { isOrdered = false }
        }
        #expect(popped == 100_000 && isOrdered)
    }
}
