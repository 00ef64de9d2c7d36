import RocketSystem
import RocketTCP
import Testing

@testable import RocketRPC

/// When a channel connects, how it fares when that fails, and what is sent again.
@Suite struct ChannelConnectionTests {
    func channel(_ configure: (inout RPCChannelConfiguration) -> Void = { _ in }) throws
        -> DrivenChannel
    {
        try DrivenChannel {
            $0.connectBackOff = BackOff(first: .milliseconds(100), most: .milliseconds(100))
            $0.retry.backOff = BackOff(first: .milliseconds(50), most: .milliseconds(50))
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
        let call = channel.start { $0.waitsForReady = true }
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
        let hasty = channel.start { $0.waitsForReady = false }
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
        channel.start { $0.waitsForReady = true }
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
        #expect(channel.connector.made.map(\.place) == [0, 1, 2])
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

    // MARK: Sending again

    @Test func aCallWhoseRequestDidNotLeaveIsSentAgainAtOnce() throws {
        let channel = try channel()
        let seen = channel.start()
        channel.last.connect()
        channel.last.reply(to: seen.idText)
        let whole = channel.start()
        let cut = channel.start()
        let unseen = channel.start()
        // All but the last byte of the third frame.
        let size = 26 + 20 + 5 + "rkm1\ntimeout-ms=10000\n".utf8.count
        channel.last.take(3 * size - 1)
        #expect(whole.ends.isEmpty)
        channel.last.end()
        #expect(whole.ends == [.error(.failedGetReply)])
        #expect(cut.ends.isEmpty && unseen.ends.isEmpty)
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == [cut.idText, unseen.idText])
        channel.last.reply(to: unseen.idText)
        channel.last.reply(to: cut.idText)
        #expect(cut.ends == [.response([])] && unseen.ends == [.response([])])
        #expect(channel.statistics.retries == 2)
    }

    @Test func aCallThatMayHaveBeenProcessedIsSentAgainOnlyIfThatDoesNoHarm() throws {
        let channel = try channel()
        let first = channel.start()
        channel.last.connect()
        channel.last.reply(to: first.idText)
        let plain = channel.start()
        let idempotent = channel.start { $0.isIdempotent = true }
        _ = channel.last.requests()
        channel.last.end()
        #expect(plain.ends == [.error(.failedGetReply)])
        #expect(idempotent.ends.isEmpty)
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == [idempotent.idText])
    }

    @Test func attemptsAreBounded() throws {
        let channel = try channel { $0.retry.maxAttempts = 3 }
        let call = channel.start { $0.isIdempotent = true }
        for attempt in 1...3 {
            #expect(channel.connector.made.count == attempt)
            channel.last.connect()
            _ = channel.last.requests()
            channel.last.end()
            channel.tick(after: .milliseconds(100))
        }
        #expect(call.ends == [.error(.failedGetReply)])
        #expect(channel.statistics.retries == 2)
    }

    @Test func aCallUnderWayWaitsForAServerThatComesBack() throws {
        let channel = try channel()
        let call = channel.start { $0.isIdempotent = true }
        channel.last.connect()
        _ = channel.last.requests()
        channel.last.end()
        channel.tick(after: .milliseconds(100))
        channel.last.refuse()
        #expect(call.ends.isEmpty)
        channel.tick(after: .milliseconds(100))
        channel.last.connect()
        channel.last.reply(to: call.idText)
        #expect(call.ends == [.response([])])
    }

    @Test func unavailableIsTriedAgainAfterAWhile() throws {
        let channel = try channel()
        let call = channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        channel.last.reply(to: call.idText, code: .unavailable, info: "draining")
        #expect(call.ends.isEmpty && channel.last.requests().isEmpty)
        channel.tick(after: .milliseconds(50))
        #expect(channel.last.requests().map(\.id) == [call.idText])
        channel.last.reply(to: call.idText, payload: [1])
        #expect(call.ends == [.response([1])])
    }

    @Test func unavailableIsTheErrorInTheEndOrWhenTimeIsShort() throws {
        let channel = try channel { $0.retry.maxAttempts = 2 }
        let call = channel.start()
        let short = channel.start(timeout: .milliseconds(20))
        channel.last.connect()
        channel.last.reply(to: short.idText, code: .unavailable)
        #expect(short.ends == [.error(.unavailable)])
        channel.last.reply(to: call.idText, code: .unavailable)
        channel.tick(after: .milliseconds(50))
        channel.last.reply(to: call.idText, code: .unavailable)
        #expect(call.ends == [.error(.unavailable)])
    }

    @Test func retriesCanBeTurnedOff() throws {
        let channel = try channel { $0.retry = .never }
        let call = channel.start { $0.isIdempotent = true }
        channel.last.connect()
        channel.last.reply(to: call.idText, code: .unavailable)
        #expect(call.ends == [.error(.unavailable)])
        let unseen = channel.start()
        channel.last.end()
        #expect(unseen.ends == [.error(.failedGetReply)])
    }

    @Test func aDrainingServersConnectionIsReplacedAndKeptForItsCalls() throws {
        let channel = try channel()
        let slow = channel.start()
        let first = channel.start()
        channel.last.connect()
        channel.last.reply(to: first.idText)
        let old = channel.last
        let refused = channel.start()
        old.reply(to: refused.idText, code: .unavailable, info: "draining")
        channel.tick(after: .milliseconds(50))
        #expect(channel.connector.made.count == 2)
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == [refused.idText])
        #expect(old.closing == nil)
        old.reply(to: slow.idText, payload: [9])
        #expect(slow.ends == [.response([9])])
        #expect(old.closing == .afterFlush)
    }

    @Test func aRestingCallEndsWithItsDeadlineItsCancellationAndTheChannel() throws {
        let channel = try channel()
        let calls = (0..<3).map { _ in channel.start(timeout: .milliseconds(60)) }
        let closed = channel.start()
        channel.last.connect()
        for call in calls + [closed] {
            channel.last.reply(to: call.idText, code: .unavailable)
        }
        _ = channel.last.requests()
        channel.core.cancel(calls[0])
        #expect(calls[0].ends == [.error(.cancelled)])
        #expect(channel.last.requests().isEmpty)
        channel.core.close()
        #expect(closed.ends == [.error(.channelInit)])
        #expect(calls.allSatisfy { $0.ends.count == 1 })
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
