import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Synchronization
import Testing

@Suite(.oneAtATime) struct IOThreadTests {
    @Test("Names the thread with the first 15 bytes")
    func aThreadHasItsName() async throws {
        let thread = try IOThread(name: "a name longer than the kernel keeps")
        let name = await withCheckedContinuation { continuation in
            thread.loop.execute { _ in continuation.resume(returning: SystemThread.currentName) }
        }
        #expect(name == "a name longer t")
        thread.stop()
        await thread.ended()
    }

    @Test("Pins the thread to its processor")
    func aThreadStaysOnItsProcessor() async throws {
        let cpu = try #require(SystemThread.firstUsableCPU)
        let thread = try IOThread(name: "test-pinned", cpu: cpu)
        let seen = await withCheckedContinuation { continuation in
            thread.loop.execute { _ in
                continuation.resume(returning: SystemThread.firstUsableCPU)
            }
        }
        #expect(seen == cpu)
        thread.stop()
        await thread.ended()
    }

    @Test("Throws for a processor that does not exist", arguments: [-1, 1_000, 1_000_000])
    func aProcessorThatIsNotThereIsReported(cpu: Int) {
        #expect(throws: SystemError.self) { try IOThread(name: "test-nowhere", cpu: cpu) }
        #expect(throws: SystemError.self) { try IOThreadGroup(count: 2, cpus: [0, cpu]) }
    }

    @Test("Loses no accepted task when a busy loop stops")
    func stoppingABusyLoopLosesNoTask() async throws {
        let thread = try IOThread(name: "test-busy")
        let loop = thread.loop
        let ran = Counter()
        let accepted = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    // Until the loop refuses.
                    while loop.execute({ _ in ran.add(1) }) {
                        if accepted.add(1) == 1_000 { thread.stop() }
                    }
                }
            }
        }
        await thread.ended()
        #expect(ran.value == accepted.value)
        #expect(accepted.value >= 1_000)
    }

    @Test("Ends although other threads send more than the loop runs")
    func floodedLoopEnds() throws {
        let hand = try HandDrivenLoop()
        let loop = hand.loop
        let sent = Counter()
        // Each task has two further ones sent by another thread, before the next task runs.
        @Sendable func spread(_ reactor: Reactor) {
            let sender = try? SystemThread(name: "test-flood") {
                for _ in 0..<2 where sent.value < 1_000 && loop.execute(spread) { sent.add(1) }
            }
            sender?.join()
        }
        loop.execute(spread)
        loop.stop()
        loop.run()
        // One generation per step of the end: what was accepted before it, during the end of the
        // first generation, and before the loop refuses.
        #expect(sent.value == 2 + 4 + 0)
    }

    @Test("Releases the timers of a loop that has stopped")
    func aStoppedLoopReleasesItsTimers() async throws {
        final class Probe: Sendable {}
        let thread = try IOThread(name: "test-timers")
        var probe: Probe? = Probe()
        weak let observed = probe
        thread.loop.schedule(after: .seconds(3600)) { [probe] _ in
            withExtendedLifetime(probe) {}
        }
        probe = nil
        thread.stop()
        await thread.ended()
        #expect(observed == nil)
    }

    @Test("Returns the loops of a group in turn")
    func aGroupGivesItsLoopsInTurn() async throws {
        let group = try IOThreadGroup(count: 3, namePrefix: "test-")
        #expect(group.loops.map(\.name) == ["test-0", "test-1", "test-2"])
        let names = (0..<6).map { _ in group.next().name }
        #expect(names == ["test-0", "test-1", "test-2", "test-0", "test-1", "test-2"])
        await group.shutdown()
    }

    @Test("Returns the loop with the fewest connections")
    func aGroupFindsTheLoopWithTheFewestConnections() async throws {
        let group = try IOThreadGroup(count: 3)
        for _ in 0..<30 { group.next(by: .leastConnections).connectionOpened() }
        #expect(group.loops.map(\.connectionCount) == [10, 10, 10])
        group.loops[1].connectionClosed()
        #expect(group.next(by: .leastConnections) === group.loops[1])
        await group.shutdown()
    }

    @Test("Starts and stops a group many times")
    func aGroupStartsAndStopsManyTimes() async throws {
        for _ in 0..<50 {
            let group = try IOThreadGroup(count: 2)
            await group.shutdown()
        }
    }
}
