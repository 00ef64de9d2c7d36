import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP
import Testing

@testable import RocketRPC

/// Calls from other threads than the channel's, on a loop that the test drives.
@Suite struct ChannelInboxTests {
    /// An inbox of a loop that has one task queued already.
    func inbox(taskLimit: Int = 2, limit: Int = 100) throws -> (ChannelInbox, EventLoop) {
        var configuration = EventLoopConfiguration()
        configuration.taskLimit = taskLimit
        let loop = try EventLoop(name: "held up", configuration: configuration)
        loop.execute { _ in }
        return (inbox(of: loop, limit: limit), loop)
    }

    func inbox(of loop: EventLoop, limit: Int = 100, isReady: Bool = false) -> ChannelInbox {
        var channel = RPCChannelConfiguration()
        channel.maxCallsInFlight = limit
        let settings = ChannelSettings(source: .connector, configuration: channel) { _ in
            FakeConnector()
        }
        let context = ChannelContext(target: "test", settings: settings, logger: .disabled)
        if isReady { context.broadcaster.publish(.ready) }
        return ChannelInbox(context, loop: loop)
    }

    func call() -> FakeCall { FakeCall(deadline: .distantFuture) }

    /// Ticks the loop until it is idle.
    func drive(_ loop: EventLoop) {
        loop.claim()
        while !loop.tick(waitingAtMost: .zero).isIdle {}
        loop.release()
    }

    @Test("50 calls from another thread cost the loop one task")
    func oneTask() throws {
        let (inbox, loop) = try inbox()
        let calls = (0..<50).map { _ in call() }
        for call in calls { inbox.enqueue(.start(call.outgoing)) { inbox.drain(on: $0) } }
        loop.claim()
        let result = loop.tick(waitingAtMost: .zero)
        loop.release()
        #expect(result.tasks == 2)
        #expect(calls.allSatisfy { $0.ends.isEmpty && $0.outgoing.slot >= 0 })
    }

    @Test("Calls are refused while the loop's task queue is full")
    func loopIsFull() throws {
        let (inbox, loop) = try inbox(taskLimit: 1)
        let call = call()
        inbox.enqueue(.start(call.outgoing)) { inbox.drain(on: $0) }
        #expect(call.ends == [.error(.resourceExhausted)])
        drive(loop)
        let next = self.call()
        inbox.enqueue(.start(next.outgoing)) { inbox.drain(on: $0) }
        drive(loop)
        #expect(next.ends.isEmpty && next.outgoing.slot >= 0)
    }

    @Test("No more calls wait for the loop than may be in flight, cancellations always do")
    func inboxLimit() throws {
        let (inbox, loop) = try inbox(limit: 3)
        let calls = (0..<4).map { _ in call() }
        for call in calls { inbox.enqueue(.start(call.outgoing)) { inbox.drain(on: $0) } }
        #expect(calls[..<3].allSatisfy { $0.ends.isEmpty })
        #expect(calls[3].ends == [.error(.resourceExhausted)])
        // Cancellations are accepted beyond the limit.
        inbox.enqueue(.cancel(calls[0].outgoing)) { inbox.drain(on: $0) }
        drive(loop)
        #expect(calls[0].ends == [.error(.cancelled)])
    }

    // MARK: A loop that sleeps

    @Test(
        "A task starts the only call itself while the loop sleeps; those after it wait for the loop"
    )
    func tasksStart() async throws {
        var configuration = EventLoopConfiguration()
        configuration.runsInCallers = true
        let thread = try IOThread(name: "asleep", configuration: configuration)
        let inbox = inbox(of: thread.loop, isReady: true)
        // Nothing wakes it afterwards.
        while !thread.loop.runInCaller({ _ in }) { await Task.yield() }
        let (first, second) = (call(), call())
        inbox.enqueue(.start(first.outgoing), drainInbox: { inbox.drain(on: $0) }, isTask: true)
        #expect(first.outgoing.slot == 0)
        inbox.enqueue(.start(second.outgoing), drainInbox: { inbox.drain(on: $0) }, isTask: true)
        await withCheckedContinuation { done in
            thread.loop.execute { reactor in
                #expect(second.outgoing.slot == 1)
                inbox.close(on: reactor)
                done.resume()
            }
        }
        #expect([first, second].allSatisfy { $0.ends == [.error(.channelInit)] })
        thread.stop()
        await thread.ended()
    }

    // MARK: Batches

    func enqueue(_ item: ChannelInbox.Item, in inbox: ChannelInbox) {
        inbox.enqueue(item) { inbox.drain(on: $0) }
    }

    /// A batch that no task waits for.
    func batch(_ calls: [FakeCall]) -> CallBatch {
        CallBatch(ContiguousArray(calls.map(\.outgoing)))
    }

    @Test("The calls of a batch are started in their order, and end each for itself")
    func batchStarts() throws {
        let (inbox, loop) = try inbox()
        let calls = (0..<3).map { _ in call() }
        let batch = batch(calls)
        calls[1].outgoing.cancel()
        enqueue(.startBatch(batch), in: inbox)
        drive(loop)
        #expect(calls.map(\.ends) == [[], [.error(.cancelled)], []])
        #expect(calls[0].outgoing.slot == 0 && calls[2].outgoing.slot == 1)
        #expect(batch.remaining == 2)
        enqueue(.cancel(calls[2].outgoing), in: inbox)
        drive(loop)
        #expect(batch.remaining == 1)
        enqueue(.cancelBatch(batch), in: inbox)
        drive(loop)
        #expect(batch.remaining == 0)
        #expect(calls[0].ends == [.error(.cancelled)])
    }

    @Test("A batch counts as its calls in the inbox, and is taken or refused as a whole")
    func batchLimit() throws {
        let (inbox, loop) = try inbox(limit: 3)
        let (first, second, refused, last) = (
            [call(), call()], [call(), call(), call()], [call(), call()], call()
        )
        for calls in [first, second, refused] { enqueue(.startBatch(batch(calls)), in: inbox) }
        enqueue(.start(last.outgoing), in: inbox)
        #expect((first + second).allSatisfy { $0.ends.isEmpty })
        #expect((refused + [last]).allSatisfy { $0.ends == [.error(.resourceExhausted)] })
        drive(loop)
        // The channel's own limit is the same, for each call.
        let started = first + second
        #expect(started.prefix(3).allSatisfy { $0.outgoing.slot >= 0 && $0.ends.isEmpty })
        #expect(started.suffix(2).allSatisfy { $0.ends == [.error(.resourceExhausted)] })
        // There is room again.
        let next = [call(), call(), call()]
        enqueue(.startBatch(batch(next)), in: inbox)
        #expect(next.allSatisfy { $0.ends.isEmpty })
    }

    @Test(
        "Cancellations take no room from the calls of others, nor from the batch that they cancel")
    func cancellationsBesideBatch() throws {
        let (inbox, loop) = try inbox(limit: 3)
        let cancelled = [call(), call(), call()]
        let both = batch(cancelled)
        enqueue(.cancelBatch(both), in: inbox)
        enqueue(.cancel(call().outgoing), in: inbox)
        enqueue(.startBatch(both), in: inbox)
        #expect(cancelled.allSatisfy { $0.ends.isEmpty })
        drive(loop)
        #expect(cancelled.allSatisfy { $0.outgoing.slot >= 0 })
    }

    @Test("A batch ends where its loop takes no tasks, or ends")
    func batchWithoutLoop() throws {
        let (inbox, loop) = try inbox(taskLimit: 1)
        let refused = [call(), call()]
        enqueue(.startBatch(batch(refused)), in: inbox)
        #expect(refused.allSatisfy { $0.ends == [.error(.resourceExhausted)] })
        drive(loop)
        let waiting = [call(), call()]
        enqueue(.startBatch(batch(waiting)), in: inbox)
        loop.stop()
        loop.run()
        let late = [call()]
        enqueue(.startBatch(batch(late)), in: inbox)
        #expect((waiting + late).allSatisfy { $0.ends == [.error(.channelInit)] })
    }

    @Test("Calls that wait for a loop end when it ends")
    func loopEnds() throws {
        let (inbox, loop) = try inbox()
        let call = call()
        inbox.enqueue(.start(call.outgoing)) { inbox.drain(on: $0) }
        loop.stop()
        loop.run()
        #expect(call.ends == [.error(.channelInit)])
        let late = self.call()
        inbox.enqueue(.start(late.outgoing)) { inbox.drain(on: $0) }
        #expect(late.ends == [.error(.channelInit)])
    }
}
