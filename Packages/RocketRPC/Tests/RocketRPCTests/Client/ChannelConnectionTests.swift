import RocketSystem
import RocketTCP
import Testing

@testable import RocketRPC

/// When a channel connects, and how it fares when that fails.
@Suite struct ChannelConnectionTests {
    func channel(_ configure: (inout RPCChannelConfiguration) -> Void = { _ in }) throws
        -> DrivenChannel
    {
        try DrivenChannel {
            $0.connectBackOff = BackOff(first: .milliseconds(100), most: .milliseconds(100))
            configure(&$0)
        }
    }

    // MARK: Connecting

    @Test func itConnectsWithTheFirstCall() throws {
        let channel = try channel()
        #expect(channel.connector.made.isEmpty && channel.state == .idle)
        channel.start()
        channel.start()
        #expect(channel.connector.made.count == 1 && channel.state == .connecting)
        channel.last.connect()
        #expect(channel.state == .ready)
        #expect(channel.last.requests().count == 2)
    }

    @Test func itCanConnectAheadOfTheFirstCall() throws {
        let channel = try channel()
        channel.core.connect()
        channel.core.connect()
        #expect(channel.connector.made.count == 1)
        channel.last.connect()
        channel.core.connect()
        #expect(channel.connector.made.count == 1 && channel.state == .ready)
    }

    @Test func aRefusedCallFailsAtOnceAndSoDoTheNextUntilTheRestIsOver() throws {
        let channel = try channel()
        let first = channel.start()
        channel.last.refuse(.failedConnect)
        #expect(first.ends == [.error(.failedConnect)])
        #expect(channel.state == .transientFailure)
        let second = channel.start()
        #expect(second.ends == [.error(.failedConnect)])
        #expect(channel.connector.made.count == 1)
        channel.tick(after: .milliseconds(100))
        #expect(channel.state == .idle && channel.connector.made.count == 1)
        let third = channel.start()
        #expect(channel.connector.made.count == 2)
        channel.last.connect()
        channel.last.reply(to: third.idText)
        #expect(third.ends == [.response([])])
        #expect(channel.statistics.connectFailures == 1 && channel.statistics.connects == 1)
    }

    @Test func aCallThatWaitsForReadyOutlastsFailures() throws {
        let channel = try channel()
        let call = channel.start { $0.terms.waitsForReady = true }
        for attempt in 1...5 {
            #expect(channel.connector.made.count == attempt)
            channel.last.refuse()
            channel.tick(after: .milliseconds(100))
        }
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == [call.idText])
    }

    @Test func whatTheChannelSaysHoldsForCallsThatSayNothing() throws {
        let channel = try channel { $0.waitsForReady = true }
        let patient = channel.start(timeout: .milliseconds(150))
        let hasty = channel.start { $0.terms.waitsForReady = false }
        channel.last.refuse()
        #expect(patient.ends.isEmpty && hasty.ends == [.error(.peerClosed)])
        channel.tick(after: .milliseconds(100))
        #expect(channel.state == .connecting)
        channel.tick(after: .milliseconds(50))
        #expect(patient.ends == [.error(.callTimeout)])
    }

    @Test func aLostConnectionIsMadeAgainByTheNextCall() throws {
        let channel = try channel()
        let first = channel.start()
        channel.last.connect()
        channel.last.reply(to: first.idText)
        channel.last.end(.peerFinished)
        #expect(channel.state == .idle && channel.statistics.connectionsLost == 1)
        channel.start()
        #expect(channel.connector.made.count == 2)
    }

    @Test func aServerThatOnlyAcceptsIsGivenARest() throws {
        let channel = try channel()
        let call = channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        channel.last.end()
        #expect(call.ends == [.error(.failedGetReply)])
        #expect(channel.state == .transientFailure)
        #expect(channel.start().ends == [.error(.peerClosed)])
    }

    @Test func listenersHearEachStateOnce() async throws {
        let channel = try channel()
        let states = channel.feed.listen()
        channel.start { $0.terms.waitsForReady = true }
        channel.last.refuse()
        channel.tick(after: .milliseconds(100))
        channel.last.connect()
        channel.core.close()
        var heard: [RPCChannelState] = []
        for await state in states { heard.append(state) }
        #expect(
            heard == [.idle, .connecting, .transientFailure, .connecting, .ready, .closed])
        for await state in channel.feed.listen() { #expect(state == .closed) }
    }

    // MARK: A pool

    @Test func aPoolGrowsWithTheCallsAndSpreadsThem() throws {
        let channel = try channel { $0.poolSize = 3 }
        let calls = (0..<2).map { _ in channel.start() }
        channel.last.connect()
        #expect(channel.connector.made.count == 2, "both wait on one connection")
        channel.last.connect()
        channel.start()
        #expect(channel.connector.made[1].requests().count == 1)
        channel.start()
        #expect(channel.connector.made.map(\.index) == [0, 1, 2])
        channel.connector.made[0].reply(to: calls[0].idText)
        channel.connector.made[0].reply(to: calls[1].idText)
        _ = channel.connector.made[0].requests()
        let next = channel.start()
        #expect(channel.connector.made[0].requests().map(\.id) == [next.idText])
    }

    @Test func aReplyOnAnotherConnectionIsToNobody() throws {
        let channel = try channel { $0.poolSize = 2 }
        let call = channel.start()
        channel.connector.made[0].connect()
        channel.start()
        channel.connector.made[1].connect()
        channel.connector.made[1].reply(to: call.idText)
        #expect(call.ends.isEmpty && channel.statistics.unknownReplies == 1)
        channel.connector.made[0].reply(to: call.idText)
        #expect(call.ends == [.response([])])
    }

    @Test func oneConnectionsEndHurtsNoCallOfAnother() throws {
        let channel = try channel { $0.poolSize = 2 }
        let first = channel.start()
        channel.connector.made[0].connect()
        let second = channel.start()
        channel.connector.made[1].connect()
        let third = channel.start()
        for transport in channel.connector.made { _ = transport.requests() }
        channel.connector.made[0].end()
        #expect([first, second].allSatisfy { $0.ends == [.error(.failedGetReply)] })
        #expect(third.ends.isEmpty && channel.state == .ready)
        channel.connector.made[1].reply(to: third.idText)
        #expect(third.ends == [.response([])])
    }

    // MARK: Broken streams

    @Test func aBrokenFrameEndsTheConnectionAndItsCalls() throws {
        let channel = try channel()
        let call = channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        channel.last.receive([0x02, 0, 0, 0, 1])
        #expect(channel.last.closing == .now)
        channel.last.end(.rejected("bad frame"))
        #expect(call.ends == [.error(.failedGetReply)])
    }

    @Test func halfAFrameIsWaitedForUntilTheDeadline() throws {
        let channel = try channel()
        let call = channel.start(timeout: .milliseconds(500))
        channel.last.connect()
        channel.last.receive([0x02, 0, 0, 0, 60, 0, 0, 0, 20])
        channel.tick(after: .milliseconds(500))
        #expect(call.ends == [.error(.callTimeout)])
    }

    @Test func tenThousandCallsEndOnceWhenTheConnectionIsLost() throws {
        let channel = try channel()
        let calls = (0..<10_000).map { _ in channel.start() }
        channel.last.connect()
        #expect(channel.last.requests().count == 10_000)
        channel.last.end()
        #expect(calls.allSatisfy { $0.ends == [.error(.failedGetReply)] })
        #expect(channel.statistics.callsInFlight == 0)
    }
}
