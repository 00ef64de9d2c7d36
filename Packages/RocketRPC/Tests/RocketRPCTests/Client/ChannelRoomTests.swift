import RocketSystem
import RocketTCP
import Testing

@testable import RocketRPC

/// Calls that wait because the connection has too much to send already.
@Suite struct ChannelRoomTests {
    func connected(
        _ configure: (inout RPCChannelConfiguration) -> Void = { _ in }
    ) throws -> DrivenChannel {
        let channel = try DrivenChannel(configure)
        let first = channel.start()
        channel.last.connect()
        channel.last.reply(to: first.idText)
        _ = channel.last.requests()
        return channel
    }

    @Test func callsWaitInTheirOrderUntilThereIsRoom() throws {
        let channel = try connected()
        channel.last.isWritable = false
        let calls = (0..<5).map { _ in channel.start() }
        channel.tick(after: .zero)
        #expect(channel.last.unsentBytes == 0, "nothing is buffered twice")
        channel.last.isWritable = true
        let late = channel.start()
        #expect(channel.last.unsentBytes == 0, "who comes later does not overtake")
        channel.last.hasRoomAgain()
        #expect(channel.last.requests().map(\.id) == (calls + [late]).map(\.idText))
        let next = channel.start()
        #expect(channel.last.requests().map(\.id) == [next.idText])
    }

    @Test func noMoreIsWrittenThanThereIsRoomFor() throws {
        let channel = try connected()
        channel.last.isWritable = false
        let calls = (0..<5).map { _ in channel.start() }
        channel.tick(after: .zero)
        channel.last.room = 2
        channel.last.isWritable = true
        channel.last.hasRoomAgain()
        #expect(channel.last.requests().map(\.id) == calls[..<2].map(\.idText))
        channel.last.room = 9
        channel.last.isWritable = true
        channel.last.hasRoomAgain()
        #expect(channel.last.requests().map(\.id) == calls[2...].map(\.idText))
    }

    @Test func whatIsFlushedWithinTheTickIsNotWaitedFor() throws {
        let channel = try connected()
        channel.last.isWritable = false
        let call = channel.start()
        // The flush of this tick made room, and nobody tells of that.
        channel.last.isWritable = true
        channel.tick(after: .zero)
        #expect(channel.last.requests().map(\.id) == [call.idText])
    }

    @Test func whoWaitsForRoomEndsByDeadlineCancellationAndClose() throws {
        let channel = try connected()
        channel.last.isWritable = false
        let overdue = channel.start(timeout: .milliseconds(5))
        let cancelled = channel.start()
        let closed = channel.start()
        channel.tick(after: .milliseconds(5))
        #expect(overdue.ends == [.error(.callTimeout)])
        channel.core.cancel(cancelled.outgoing)
        #expect(cancelled.ends == [.error(.cancelled)])
        #expect(channel.statistics.cancelsSent == 0)
        channel.core.close()
        #expect(closed.ends == [.error(.channelInit)])
        #expect([overdue, cancelled, closed].allSatisfy { $0.ends.count == 1 })
    }

    @Test func whoGivesUpWhileWaitingLeavesTheLineSoon() throws {
        let channel = try connected()
        channel.last.isWritable = false
        let patient = channel.start()
        for _ in 0..<10_000 {
            let call = channel.start()
            channel.core.cancel(call.outgoing)
        }
        #expect(channel.core.waiting.count < 200)
        channel.last.isWritable = true
        channel.last.hasRoomAgain()
        #expect(channel.last.requests().map(\.id) == [patient.idText])
    }

    @Test func theLineHasALimit() throws {
        let channel = try connected { $0.maxCallsWaiting = 3 }
        channel.last.isWritable = false
        let calls = (0..<4).map { _ in channel.start() }
        #expect(calls[..<3].allSatisfy { $0.ends.isEmpty })
        #expect(calls[3].ends == [.error(.resourceExhausted)])
        channel.core.cancel(calls[0].outgoing)
        #expect(channel.start().ends.isEmpty, "one place is free again")
    }

    @Test func theLimitHoldsForCallsThatWaitForAConnection() throws {
        let channel = try DrivenChannel { $0.maxCallsWaiting = 2 }
        let calls = (0..<3).map { _ in channel.start() }
        #expect(calls.map(\.ends) == [[], [], [.error(.resourceExhausted)]])
    }

    @Test func whoWaitedOnALostConnectionIsSentOnTheNext() throws {
        let channel = try connected()
        channel.last.isWritable = false
        let calls = (0..<3).map { _ in channel.start() }
        channel.last.end()
        #expect(calls.allSatisfy { $0.ends.isEmpty })
        #expect(channel.connector.made.count == 2)
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == calls.map(\.idText))
    }

    @Test func whoWaitedOnADrainingConnectionIsSentOnTheNext() throws {
        let channel = try connected()
        let refused = channel.start()
        _ = channel.last.requests()
        let old = channel.last
        old.isWritable = false
        let waiting = channel.start()
        old.reply(to: refused.idText, code: .unavailable)
        #expect(channel.connector.made.count == 2)
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == [waiting.idText])
        channel.tick(after: .nanoseconds(1))
        #expect(channel.last.requests().map(\.id) == [refused.idText])
    }

    @Test func aPoolsOtherConnectionTakesTheCall() throws {
        let channel = try DrivenChannel { $0.poolSize = 2 }
        channel.start()
        channel.connector.made[0].connect()
        channel.start()
        channel.connector.made[1].connect()
        for transport in channel.connector.made { _ = transport.requests() }
        channel.connector.made[0].isWritable = false
        let calls = (0..<3).map { _ in channel.start() }
        #expect(channel.connector.made[1].requests().map(\.id) == calls.map(\.idText))
    }
}
