@testable import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Synchronization
import Testing

@Suite(.oneAtATime) struct TaskTests {
    @Test("Keeps the order of one sender's tasks")
    func tasksOfOneSenderKeepTheirOrder() async throws {
        let thread = try IOThread(name: "test-order")
        let loop = thread.loop
        let seen = Shared([[Int]](repeating: [], count: 4))
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<4 {
                group.addTask {
                    for number in 0..<5_000 {
                        loop.execute { _ in seen.withLock { $0[sender].append(number) } }
                    }
                }
            }
        }
        thread.stop()
        await thread.ended()
        #expect(seen.withLock { $0 } == [[Int]](repeating: Array(0..<5_000), count: 4))
    }

    @Test("Wakes a sleeping loop once per batch")
    func aSleepingLoopIsWokenOncePerBatch() throws {
        let wakeup = try Wakeup()
        #expect(!wakeup.wakeIfAsleep())
        #expect(wakeup.announceSleep { false })
        #expect(wakeup.wakeIfAsleep())
        #expect(!wakeup.wakeIfAsleep())
        #expect(wakeup.announceSleep { false })
        wakeup.isAwake()
        #expect(!wakeup.wakeIfAsleep())
    }

    /// A sender that acts before, during and after the loop's last check for tasks.
    @Test("Loses no task, whenever it is sent while the loop goes to sleep", arguments: 0..<4)
    func noTaskIsLostOnTheWayToSleep(moment: Int) throws {
        let wakeup = try Wakeup()
        let inbox = TaskInbox()
        var hasWritten = false
        func send(at time: Int) {
            guard time == moment else { return }
            _ = inbox.append(.closure { _ in }, isJob: false)
            hasWritten = wakeup.wakeIfAsleep()
        }
        send(at: 0)
        let sleeps = wakeup.announceSleep {
            send(at: 1)
            let hasTasks = !inbox.isEmpty
            send(at: 2)
            return hasTasks
        }
        send(at: 3)
        // A loop that sleeps although there is a task is woken.
        #expect(!sleeps || hasWritten)
        #expect(sleeps == (moment >= 2))
    }

    @Test("Writes no wakeup for tasks that the loop sends itself")
    func ownTasksWriteNoWakeup() throws {
        let hand = try HandDrivenLoop()
        let left = Shared(100)
        @Sendable func again(_ reactor: Reactor) {
            let isMore = left.withLock {
                $0 -= 1
                return $0 > 0
            }
            if isMore { reactor.loop.execute(again) }
        }
        hand.loop.execute(again)
        hand.tickUntilIdle()
        #expect(hand.loop.statistics.tasks == 100)
        #expect(hand.loop.statistics.wakeups == 0)
    }

    @Test("Ends the wait when another thread sends a task")
    func aTaskFromAnotherThreadEndsTheWait() throws {
        let hand = try HandDrivenLoop()
        let loop = hand.loop
        let sender = try SystemThread(name: "test-sender") { loop.execute { _ in } }
        var tasks = 0
        while tasks == 0 { tasks += loop.tick(waitingAtMost: .seconds(60)).tasks }
        sender.join()
        #expect(tasks == 1)
    }

    @Test("Releases a bound value on its loop")
    func aValueBoundToALoopIsReleasedThere() async throws {
        final class Probe {
            let loop: EventLoop
            let wasInLoop: @Sendable (Bool) -> Void
            init(loop: EventLoop, _ wasInLoop: @escaping @Sendable (Bool) -> Void) {
                self.loop = loop
                self.wasInLoop = wasInLoop
            }
            deinit { wasInLoop(loop.isInLoop) }
        }
        let thread = try IOThread(name: "test-bound")
        let released = await withCheckedContinuation { continuation in
            thread.loop.execute { reactor in
                let probe = Probe(loop: reactor.loop) { continuation.resume(returning: $0) }
                let bound = LoopBound(probe, on: reactor)
                Task.detached { withExtendedLifetime(bound) {} }
            }
        }
        #expect(released)
        thread.stop()
        await thread.ended()
    }

    @Test("Traps when the reactor is used on another thread")
    func aReactorElsewhereTraps() async {
        await #expect(processExitsWith: .failure) {
            let loop = try EventLoop(name: "not driven")
            loop.withReactor { _ in }
        }
    }
}
