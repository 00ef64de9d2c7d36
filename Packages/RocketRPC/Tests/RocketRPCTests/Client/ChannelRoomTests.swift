import Foundation
import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@_spi(Transport) @testable import RocketRPC

/// Calls that are queued because the connection's output is above its high water mark.
@Suite struct ChannelRoomTests {
    @Test("Calls are queued in their order until the connection has room")
    func queuesInOrder() throws {
        let channel = try DrivenChannel.connected()
        channel.last.fill()
        let calls = (0..<5).map { _ in channel.start() }
        channel.tick(after: .zero)
        #expect(channel.last.unsentBytes == 0, "nothing is written without room")
        let late = channel.start()
        channel.last.makeRoom()
        #expect(channel.last.requests().map(\.id) == (calls + [late]).map(\.idText))
        let next = channel.start()
        #expect(channel.last.requests().map(\.id) == [next.idText])
    }

    @Test("No more is written than there is room for")
    func writesWhatFits() throws {
        let channel = try DrivenChannel.connected()
        channel.last.fill()
        let calls = (0..<5).map { _ in channel.start() }
        channel.tick(after: .zero)
        channel.last.makeRoom(for: 2)
        #expect(channel.last.requests().map(\.id) == calls[..<2].map(\.idText))
        channel.last.makeRoom(for: 9)
        #expect(channel.last.requests().map(\.id) == calls[2...].map(\.idText))
    }

    /// The calls of one tick exceed the high water mark; only the transport's notification can make
    /// the channel send the rest.
    @Test("Calls beyond the high water mark are sent when there is room", arguments: Self.kinds)
    func roomAfterFlush(kind: TransportKind) async throws {
        try await kind.withChannel(to: [TestService()], configuration: .patient) { channel in
            let bytes = Bytes(Data(count: 100_000))
            let total = try await withTaskExecutorPreference(channel.loop) {
                try await withThrowingTaskGroup { group in
                    for _ in 0..<8 {
                        group.addTask {
                            try await channel.call(TestService.echoBytes, bytes).value.count
                        }
                    }
                    return try await group.reduce(0, +)
                }
            }
            #expect(total == 8 * 100_000)
        }
    }

    static let kinds = TransportKind.channels

    @Test("A queued call ends by deadline, cancellation and close")
    func queuedCallsEnd() throws {
        let channel = try DrivenChannel.connected()
        channel.last.fill()
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

    @Test("Cancelled calls leave the send queue")
    func cancelledCallsLeave() throws {
        let channel = try DrivenChannel.connected()
        channel.last.fill()
        let queued = channel.start()
        for _ in 0..<10_000 {
            let call = channel.start()
            channel.core.cancel(call.outgoing)
        }
        #expect(channel.core.sendQueue.count < 200)
        channel.last.makeRoom()
        #expect(channel.last.requests().map(\.id) == [queued.idText])
    }

    @Test("No more calls are queued for room than maxCallsWaiting")
    func queueLimit() throws {
        let channel = try DrivenChannel.connected { $0.maxCallsWaiting = 3 }
        channel.last.fill()
        let calls = (0..<4).map { _ in channel.start() }
        #expect(calls[..<3].allSatisfy { $0.ends.isEmpty })
        #expect(calls[3].ends == [.error(.resourceExhausted)])
        channel.core.cancel(calls[0].outgoing)
        #expect(channel.start().ends.isEmpty, "a cancelled call makes room in the queue")
    }

    @Test("No more calls are queued for a connection than maxCallsWaiting")
    func queueLimitWithoutConnection() throws {
        let channel = try DrivenChannel { $0.maxCallsWaiting = 2 }
        let calls = (0..<3).map { _ in channel.start() }
        #expect(calls.map(\.ends) == [[], [], [.error(.resourceExhausted)]])
    }

    @Test("Calls queued on a lost connection are sent on the next one")
    func sentAfterLoss() throws {
        let channel = try DrivenChannel.connected()
        channel.last.fill()
        let calls = (0..<3).map { _ in channel.start() }
        channel.last.end()
        #expect(calls.allSatisfy { $0.ends.isEmpty })
        #expect(channel.connector.made.count == 2)
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == calls.map(\.idText))
    }

    @Test("Calls queued on a draining connection are sent on the next one")
    func sentAfterDrain() throws {
        let channel = try DrivenChannel.connected()
        let refused = channel.start()
        _ = channel.last.requests()
        let old = channel.last
        old.fill()
        let waiting = channel.start()
        old.reply(to: refused.idText, code: .unavailable)
        #expect(channel.connector.made.count == 2)
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == [waiting.idText])
        channel.tick(after: .nanoseconds(1))
        #expect(channel.last.requests().map(\.id) == [refused.idText])
    }

    @Test("Another connection of the pool takes the calls")
    func otherConnection() throws {
        let channel = try DrivenChannel { $0.poolSize = 2 }
        channel.start()
        channel.connector.made[0].connect()
        channel.start()
        channel.connector.made[1].connect()
        for transport in channel.connector.made { _ = transport.requests() }
        channel.connector.made[0].fill()
        let calls = (0..<3).map { _ in channel.start() }
        #expect(channel.connector.made[1].requests().map(\.id) == calls.map(\.idText))
    }
}
