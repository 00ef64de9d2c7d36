import RocketReactorTestKit
import RocketSystem
import Testing

@testable import RocketReactor

@Suite struct CallerTests {
    private func thread(runsInCallers: Bool = true) throws -> IOThread {
        var configuration = EventLoopConfiguration()
        configuration.runsInCallers = runsInCallers
        return try IOThread(name: "caller", configuration: configuration)
    }

    private func end(_ thread: IOThread) async {
        thread.stop()
        await thread.ended()
    }

    /// Runs `task` in this task's thread as soon as the loop sleeps.
    private func run(_ loop: EventLoop, _ task: (Reactor) -> Void) async {
        while !loop.runInCaller(task) { await Task.yield() }
    }

    @Test("A task runs on the caller's thread while the loop's sleeps, and so do its tick ends")
    func runs() async throws {
        let thread = try thread()
        let ends = TickEnds()
        await run(thread.loop) { reactor in
            #expect(thread.loop.isInLoop)
            #expect(!thread.loop.lastProgress.isWaiting)
            ends.token = SystemThread.currentToken
            reactor.observeTickEnd(ends)
            #expect(ends.endedOn == nil)
        }
        #expect(ends.endedOn != nil && ends.endedOn == ends.token)
        #expect(!thread.loop.isInLoop)
        await end(thread)
        #expect(!thread.loop.runInCaller { _ in Issue.record("the loop has ended") })
    }

    @Test("Not where the configuration does not allow it, and not where the loop is driven by hand")
    func notAllowed() async throws {
        let thread = try thread(runsInCallers: false)
        while !thread.loop.wakeup.hasSleeper { await Task.yield() }
        #expect(!thread.loop.runInCaller { _ in Issue.record("not allowed") })
        await end(thread)
        var configuration = EventLoopConfiguration()
        configuration.runsInCallers = true
        let driven = try HandDrivenLoop(configuration: configuration)
        #expect(!driven.loop.runInCaller { _ in Issue.record("awake") })
        driven.tick()
    }

    @Test("The loop's thread runs the tasks that the caller leaves, and wakes up for its timers")
    func leavesWork() async throws {
        let thread = try thread()
        let loop = thread.loop
        let tokens = Tokens()
        await withCheckedContinuation { done in
            Task {
                await run(loop) { _ in
                    tokens.addCurrent()
                    loop.execute { reactor in
                        tokens.addCurrent()
                        reactor.schedule(after: .seconds(1000), label: "far") { _ in }
                        done.resume()
                    }
                }
            }
        }
        await withCheckedContinuation { done in
            Task {
                await run(loop) { reactor in
                    reactor.schedule(after: .milliseconds(1), label: "near") { _ in
                        tokens.addCurrent()
                        done.resume()
                    }
                }
            }
        }
        let found = tokens.all
        #expect(found.count == 3 && found[0] != found[1] && found[1] == found[2])
        await end(thread)
    }

    @Test("Callers and the loop's thread drive the loop one at a time")
    func oneAtATime() async throws {
        let thread = try thread()
        let loop = thread.loop
        let count = Confined()
        let tasks = 4
        let times = 2_000
        await withTaskGroup { group in
            for _ in 0..<tasks {
                group.addTask {
                    for _ in 0..<times {
                        let work: @Sendable (Reactor) -> Void = { _ in count.add(loop) }
                        if !loop.runInCaller(work) { loop.execute(work) }
                    }
                }
            }
        }
        let total = await withCheckedContinuation { done in
            loop.execute { _ in done.resume(returning: count.value) }
        }
        #expect(total == tasks * times)
        await end(thread)
    }
}

private final class TickEnds: TickEndHandler {
    var token: UInt?
    var endedOn: UInt?

    func tickEnding(on reactor: Reactor) { endedOn = SystemThread.currentToken }
}

private final class Tokens: Sendable {
    private let list = Locked<[UInt]>([])

    var all: [UInt] { list.withLock { $0 } }

    func addCurrent() { list.withLock { $0.append(SystemThread.currentToken) } }
}

/// A number that only who drives the loop changes.
// SAFETY: changed where `isInLoop` is true, and read on the loop at the end.
private final class Confined: @unchecked Sendable {
    private(set) var value = 0

    func add(_ loop: EventLoop) {
        precondition(loop.isInLoop)
        value += 1
    }
}
