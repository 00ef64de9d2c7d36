import RocketBase
import RocketCodec
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// Connections that a channel replaces because of what its peer does: silence, and going away.
@Suite struct ChannelPeerTests {
    // MARK: Silence

    @Test("After a time-out without a byte new calls use a fresh connection")
    func silentPeer() throws {
        let channel = try DrivenChannel.connected()
        let hung = channel.last
        let call = channel.start(timeout: .seconds(2))
        channel.tick(after: .seconds(2))
        #expect(call.ends == [.error(.callTimeout)])
        #expect(hung.closing == .afterFlush)
        let next = channel.start()
        #expect(channel.connector.made.count == 2)
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == [next.idText])
        channel.last.reply(to: next.idText)
        #expect(next.ends == [.response([])])
    }

    @Test("A silent connection stays open for calls with time left")
    func silentPeerWithCalls() throws {
        let channel = try DrivenChannel.connected()
        let old = channel.last
        let patient = channel.start(timeout: .seconds(60))
        channel.start(timeout: .seconds(2))
        channel.tick(after: .seconds(2))
        #expect(old.closing == nil && channel.state == .idle)
        old.reply(to: patient.idText, payload: [1])
        #expect(patient.ends == [.response([1])] && old.closing == .afterFlush)
    }

    @Test("A connection on which a byte has arrived since the call was sent is kept")
    func slowPeer() throws {
        let channel = try DrivenChannel.connected()
        let slow = channel.start(timeout: .seconds(2))
        channel.tick(after: .seconds(1))
        channel.last.receive([0x02])
        channel.tick(after: .seconds(1))
        #expect(slow.ends == [.error(.callTimeout)])
        #expect(channel.state == .ready && channel.last.closing == nil)
        channel.start()
        #expect(channel.connector.made.count == 1)
    }

    @Test("A byte before the call was sent does not count")
    func byteBeforeCall() throws {
        let channel = try DrivenChannel.connected()
        let call = channel.start(timeout: .seconds(2))
        channel.last.reply(to: call.idText)
        channel.start(timeout: .seconds(2))
        channel.tick(after: .seconds(2))
        #expect(channel.state == .idle)
    }

    @Test("At most one silent connection a second is replaced, so a slow server is not flooded")
    func replacementLimit() throws {
        let channel = try DrivenChannel.connected()
        for _ in 0..<100 {
            channel.start(timeout: .milliseconds(10))
            if channel.state == .connecting { channel.last.connect() }
            channel.tick(after: .milliseconds(10))
        }
        // At 10 ms, and not before 1,010 ms.
        #expect(channel.connector.made.count == 2)
        channel.start(timeout: .milliseconds(10))
        channel.tick(after: .milliseconds(10))
        channel.start()
        #expect(channel.connector.made.count == 3)
    }

    // MARK: Going away

    @Test("A channel sends nothing more on a connection that is going away")
    func goingAway() throws {
        let channel = try DrivenChannel.connected()
        let old = channel.last
        let slow = channel.start()
        _ = old.requests()
        old.goAway()
        #expect(old.closing == nil && channel.state == .idle)
        let next = channel.start()
        channel.last.connect()
        #expect(channel.last !== old && channel.last.requests().map(\.id) == [next.idText])
        #expect(old.requests().isEmpty)
        old.reply(to: slow.idText, payload: [7])
        #expect(slow.ends == [.response([7])])
        #expect(old.closing == .afterFlush, "closed after the last reply")
        #expect(channel.statistics.unknownReplies == 0)
    }

    @Test("An idle connection that is going away is closed at once, and not replaced before a call")
    func goingAwayIdle() throws {
        let channel = try DrivenChannel.connected()
        channel.last.goAway()
        #expect(channel.last.closing == .afterFlush && channel.connector.made.count == 1)
        channel.last.end(.requested)
        #expect(channel.state == .idle && channel.statistics.connectionsLost == 0)
        channel.start()
        #expect(channel.connector.made.count == 2)
    }

    @Test("Calls that were not begun are sent again elsewhere, without an idempotency key")
    func notBegun() throws {
        let channel = try DrivenChannel.connected()
        let old = channel.last
        let crossing = (0..<50).map { _ in channel.start() }
        _ = old.requests()
        old.goAway()
        for call in crossing { old.reply(to: call.idText, code: .unavailable, info: "draining") }
        #expect(old.closing == .afterFlush)
        channel.tick(after: .nanoseconds(1))
        #expect(channel.connector.made.count == 2)
        channel.last.connect()
        #expect(Set(channel.last.requests().map(\.id)) == Set(crossing.map(\.idText)))
        for call in crossing { channel.last.reply(to: call.idText) }
        #expect(crossing.allSatisfy { $0.ends == [.response([])] })
    }

    @Test("Calls that wait for room are sent on another connection")
    func goingAwayWithQueue() throws {
        let channel = try DrivenChannel.connected()
        let old = channel.last
        old.fill()
        let queued = (0..<3).map { _ in channel.start() }
        old.goAway()
        channel.last.connect()
        #expect(channel.last !== old)
        #expect(channel.last.requests().map(\.id) == queued.map(\.idText))
    }

    @Test("A server that goes away again and again gets a call at most maxAttempts times")
    func alwaysGoingAway() throws {
        let channel = try DrivenChannel.connected()
        let call = channel.start()
        for _ in 0..<10 where call.ends.isEmpty {
            if channel.state != .ready { channel.last.connect() }
            _ = channel.last.requests()
            channel.last.goAway()
            channel.last.reply(to: call.idText, code: .unavailable)
            channel.tick(after: .seconds(1))
        }
        #expect(call.ends == [.error(.unavailable)])
        #expect(channel.connector.made.count <= 4)
    }

    @Test("Connections that go away before any reply are replaced at once, three in a row")
    func goingAwayUnused() throws {
        let channel = try DrivenChannel()
        let calls = (0..<4).map { index in
            let call = channel.start()
            channel.last.connect()
            channel.last.goAway()
            #expect((channel.state == .transientFailure) == (index == 3))
            return call
        }
        let next = channel.start()
        #expect(next.ends == [.error(.unavailable)] && channel.connector.made.count == 4)
        channel.last.reply(to: calls[3].idText, payload: [1])
        #expect(calls[3].ends == [.response([1])], "it still delivers replies")
        channel.tick(after: .milliseconds(100))
        channel.start()
        #expect(channel.connector.made.count == 5)
    }

    @Test("A pool opens no connection per call to a server that goes away and does not reply")
    func goingAwayUnusedPool() throws {
        let channel = try DrivenChannel {
            $0.poolSize = 2
            $0.waitsForReady = true
        }
        for _ in 0..<100 {
            channel.start()
            if channel.connector.made.last?.closing == nil, channel.state == .connecting {
                channel.last.connect()
                channel.last.goAway()
            }
        }
        #expect(channel.connector.made.count <= 5)
    }

    @Test("A connection that has worked and goes away ends the back-off")
    func goingAwayResetsBackOff() throws {
        let channel = try DrivenChannel {
            $0.connectBackOff = BackOff(first: .milliseconds(100), factor: 1000)
            $0.waitsForReady = true
        }
        let call = channel.start()
        channel.last.refuse()
        channel.tick(after: .milliseconds(100))
        channel.last.connect()
        channel.last.reply(to: call.idText)
        channel.last.goAway()
        channel.start()
        channel.last.refuse()
        channel.tick(after: .milliseconds(100))
        #expect(channel.connector.made.count == 4)
    }

    @Test("A frame of another method, with a code or an id is no farewell")
    func noFarewell() throws {
        let channel = try DrivenChannel.connected()
        channel.last.reply(to: "", method: "rocket.goawayy")
        channel.last.reply(to: "x", method: "rocket.goaway")
        channel.last.reply(to: "", code: .unavailable, method: "rocket.goaway")
        #expect(channel.state == .ready && channel.statistics.unknownReplies == 3)
    }

    @Test("A call can't have an empty msg_id, which is that of a server's own frames")
    func emptyID() async throws {
        let channel = try RPCChannel(inProcess: [TestService()], configuration: .patient)
        defer { channel.close() }
        let error = await #expect(throws: RPCError.self) {
            try await channel.call(
                TestService.echo, Text(), options: .with { $0.messageID = "" })
        }
        #expect(error?.code == .failedEncode)
    }
}
