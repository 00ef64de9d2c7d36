import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP
import Testing

@testable import RocketRPC

/// Calls that are made on other threads than the channel's, on a loop that nobody drives.
@Suite struct ChannelInboxTests {
    /// A door to a loop that has one task to do already.
    func door(taskLimit: Int = 2, limit: Int = 100) throws -> (ChannelInbox, EventLoop) {
        var configuration = EventLoopConfiguration()
        configuration.taskLimit = taskLimit
        let loop = try EventLoop(name: "held up", configuration: configuration)
        loop.execute { _ in }
        let door = ChannelInbox(loop: loop, limit: limit, feed: StateBroadcaster()) { reactor in
            ChannelCore(
                reactor: reactor, connector: FakeConnector(),
                configuration: RPCChannelConfiguration())
        }
        return (door, loop)
    }

    func call() -> FakeCall { FakeCall(deadline: .distantFuture) }

    /// Drives the loop until nothing is left to do.
    func drive(_ loop: EventLoop) {
        loop.claim()
        while !loop.tick(waitingAtMost: .zero).isIdle {}
        loop.release()
    }

    @Test func manyCallsCostTheLoopOneTask() throws {
        let (door, loop) = try door()
        let calls = (0..<50).map { _ in call() }
        for call in calls { door.pass(.start(call.outgoing)) { door.takeInbox(on: $0) } }
        loop.claim()
        let result = loop.tick(waitingAtMost: .zero)
        loop.release()
        #expect(result.tasks == 2)
        #expect(calls.allSatisfy { $0.ends.isEmpty && $0.outgoing.slot >= 0 })
    }

    @Test func aLoopWithTooManyTasksGetsNoMoreCalls() throws {
        let (door, loop) = try door(taskLimit: 1)
        let call = call()
        door.pass(.start(call.outgoing)) { door.takeInbox(on: $0) }
        #expect(call.ends == [.error(.resourceExhausted)])
        drive(loop)
        let next = self.call()
        door.pass(.start(next.outgoing)) { door.takeInbox(on: $0) }
        drive(loop)
        #expect(next.ends.isEmpty && next.outgoing.slot >= 0)
    }

    @Test func noMoreCallsWaitForTheLoopThanMayBeInFlight() throws {
        let (door, loop) = try door(limit: 3)
        let calls = (0..<4).map { _ in call() }
        for call in calls { door.pass(.start(call.outgoing)) { door.takeInbox(on: $0) } }
        #expect(calls[..<3].allSatisfy { $0.ends.isEmpty })
        #expect(calls[3].ends == [.error(.resourceExhausted)])
        // Who gives up is heard in any case.
        door.pass(.cancel(calls[0].outgoing)) { door.takeInbox(on: $0) }
        drive(loop)
        #expect(calls[0].ends == [.error(.cancelled)])
    }

    @Test func callsThatWaitForALoopThatEndsEnd() throws {
        let (door, loop) = try door()
        let call = call()
        door.pass(.start(call.outgoing)) { door.takeInbox(on: $0) }
        loop.stop()
        loop.run()
        #expect(call.ends == [.error(.channelInit)])
        let late = self.call()
        door.pass(.start(late.outgoing)) { door.takeInbox(on: $0) }
        #expect(late.ends == [.error(.channelInit)])
    }
}
