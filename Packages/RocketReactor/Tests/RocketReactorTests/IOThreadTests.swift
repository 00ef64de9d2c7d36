import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Synchronization
import Testing

@Suite(.oneAtATime) struct IOThreadTests {
    @Test func aThreadHasItsName() async throws {
        let thread = try IOThread(name: "a name longer than the kernel keeps")
        let name = await withCheckedContinuation { continuation in
            thread.loop.execute { _ in continuation.resume(returning: SystemThread.currentName) }
        }
        #expect(name == "a name longer t")
        thread.stop()
        await thread.ended()
    }

    @Test func aThreadStaysOnItsProcessor() async throws {
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

    @Test(arguments: [-1, 1_000, 1_000_000])
    func aProcessorThatIsNotThereIsReported(cpu: Int) {
        #expect(throws: SystemError.self) { try IOThread(name: "test-nowhere", cpu: cpu) }
        #expect(throws: SystemError.self) { try IOThreadGroup(count: 2, cpus: [0, cpu]) }
    }

    @Test func stoppingABusyLoopLosesNoTask() async throws {
        let thread = try IOThread(name: "test-busy")
        let loop = thread.loop
        let ran = Counter()
        let accepted = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    // Until told that it is too late.
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

    @Test func aStoppedLoopLetsGoOfItsTimers() async throws {
        final class Witness: Sendable {}
        let thread = try IOThread(name: "test-timers")
        var witness: Witness? = Witness()
        weak let observed = witness
        thread.loop.schedule(after: .seconds(3600)) { [witness] _ in
            withExtendedLifetime(witness) {}
        }
        witness = nil
        thread.stop()
        await thread.ended()
        #expect(observed == nil)
    }

    @Test func aGroupGivesItsLoopsInTurn() async throws {
        let group = try IOThreadGroup(count: 3, namePrefix: "test-")
        #expect(group.loops.map(\.name) == ["test-0", "test-1", "test-2"])
        let names = (0..<6).map { _ in group.next().name }
        #expect(names == ["test-0", "test-1", "test-2", "test-0", "test-1", "test-2"])
        await group.shutdown()
    }

    @Test func aGroupFindsTheLoopWithTheFewestConnections() async throws {
        let group = try IOThreadGroup(count: 3)
        for _ in 0..<30 { group.next(by: .leastConnections).connectionOpened() }
        #expect(group.loops.map(\.connectionCount) == [10, 10, 10])
        group.loops[1].connectionClosed()
        #expect(group.next(by: .leastConnections) === group.loops[1])
        await group.shutdown()
    }

    @Test func aGroupStartsAndStopsManyTimes() async throws {
        for _ in 0..<50 {
            let group = try IOThreadGroup(count: 2)
            await group.shutdown()
        }
    }
}
