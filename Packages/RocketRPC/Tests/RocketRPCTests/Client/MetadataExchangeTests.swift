import RocketBase
import RocketCodec
import RocketTCP
import Testing

@testable import RocketRPC

/// Calls with more than 511 bytes of metadata to a peer that is silent, in trouble, or going away.
@Suite struct MetadataExchangeTests {
    let announcement = "rkm1\nlimit=8192\n"

    /// Starts a call with more metadata than a peer takes that has announced nothing.
    @discardableResult
    func startLarge(_ channel: DrivenChannel, timeout: Duration = .seconds(10)) -> FakeCall {
        channel.start(timeout: timeout) {
            $0.parameters.metadata = ["x-token": String(repeating: "t", count: 600)]
        }
    }

    func probe(_ channel: DrivenChannel) throws -> String {
        let requests = channel.last.requests()
        try #require(requests.map(\.method) == ["rocket.Health.check"])
        return requests[0].id
    }

    // MARK: Silence

    @Test(
        "A hung peer's connection is replaced when a call's deadline passes that asks for the limit"
    )
    func hungPeer() throws {
        let channel = try DrivenChannel.connected()
        let hung = channel.last
        let overdue = [
            startLarge(channel, timeout: .seconds(2)), startLarge(channel, timeout: .seconds(2)),
        ]
        let patient = startLarge(channel)
        channel.tick(after: .seconds(2))
        for call in overdue {
            let error = try #require(call.outgoing.error)
            #expect(error.code == .callTimeout && error.cause == nil)
            #expect(error.message.contains("metadata") && error.message.contains("511"))
        }
        #expect(hung.closing == .afterFlush && channel.connector.made.count == 2)
        channel.last.connect()
        channel.last.reply(to: try probe(channel), info: announcement)
        #expect(channel.last.requests().map(\.id) == [patient.idText])
    }

    @Test("A peer that has sent something since it was asked keeps its connection")
    func slowPeer() throws {
        let channel = try DrivenChannel.connected()
        startLarge(channel, timeout: .seconds(2))
        channel.last.receive([0x02])
        channel.tick(after: .seconds(2))
        #expect(channel.last.closing == nil && channel.state == .ready)
    }

    @Test("The end of an earlier call without a reply ends the wait for its announcement")
    func earlierCallEnds() throws {
        let channel = try DrivenChannel.connected()
        channel.start(timeout: .seconds(1))
        let cancelled = channel.start()
        _ = channel.last.requests()
        let call = startLarge(channel)
        channel.last.reply(to: try probe(channel), code: .methodNotFound)
        channel.tick(after: .seconds(1))
        #expect(call.ends.isEmpty)
        channel.core.cancel(cancelled.outgoing)
        #expect(call.ends == [.error(.failedEncode)])
    }

    @Test("A call that waits for room does not name an old failure to connect when it expires")
    func expiresForRoom() throws {
        let channel = try DrivenChannel.connected()
        channel.last.fill()
        let call = channel.start(timeout: .seconds(1))
        channel.tick(after: .seconds(1))
        let error = try #require(call.outgoing.error)
        #expect(error.code == .callTimeout && error.cause == nil)
    }

    // MARK: Answers without an announcement

    @Test("An announcement counts after a probe was answered without one, and in a late reply")
    func lateAnnouncement() throws {
        let channel = try DrivenChannel.connected()
        let overdue = channel.start(timeout: .seconds(1))
        _ = channel.last.requests()
        let call = startLarge(channel)
        channel.last.reply(to: try probe(channel))
        channel.tick(after: .seconds(1))
        #expect(call.ends == [.error(.failedEncode)])
        #expect(channel.last.requests().map(\.method) == ["rocket.cancel"])
        channel.last.reply(to: overdue.idText, info: announcement)
        let next = startLarge(channel)
        #expect(channel.last.requests().map(\.id) == [next.idText])
    }

    @Test(
        "A probe's error fails the calls that wait with its code, and the next call probes again",
        arguments: [RPCErrorCode.callTimeout, .resourceExhausted, .unauthenticated, .internal])
    func probeFails(_ code: RPCErrorCode) throws {
        let channel = try DrivenChannel.connected()
        let calls = [startLarge(channel), startLarge(channel)]
        channel.last.reply(to: try probe(channel), code: code, info: "why")
        for call in calls {
            let error = try #require(call.outgoing.error)
            #expect(error.code == code && "\(error)".contains("why"))
        }
        let next = startLarge(channel)
        channel.last.reply(to: try probe(channel), info: announcement)
        #expect(channel.last.requests().map(\.id) == [next.idText])
    }

    @Test("Calls whose probe was answered with UNAVAILABLE probe again after a while")
    func probeUnavailable() throws {
        let channel = try DrivenChannel.connected()
        let call = startLarge(channel)
        channel.last.reply(to: try probe(channel), code: .unavailable)
        #expect(channel.last.requests().isEmpty && call.ends.isEmpty)
        channel.tick(after: .milliseconds(50))
        channel.last.reply(to: try probe(channel), info: announcement)
        #expect(channel.last.requests().map(\.id) == [call.idText])
    }

    @Test("They do so at most maxAttempts times")
    func probeAlwaysUnavailable() throws {
        let channel = try DrivenChannel.connected()
        let call = startLarge(channel)
        var probes = 0
        while call.ends.isEmpty, probes < 10 {
            channel.last.reply(to: try probe(channel), code: .unavailable)
            probes += 1
            channel.tick(after: .milliseconds(500))
        }
        #expect(probes == 4 && call.ends == [.error(.unavailable)])
    }

    @Test("A reply to the probe that is over the frame limit is an answer")
    func oversizedAnswer() throws {
        let channel = try DrivenChannel.connected { $0.codec = TinyPBCodec(maxFrameBytes: 1000) }
        let call = startLarge(channel)
        channel.last.reply(
            to: try probe(channel), payload: [UInt8](repeating: 0, count: 1000))
        #expect(call.ends == [.error(.resourceExhausted)])
    }

    @Test("Calls that end while they wait are not kept")
    func endedCalls() throws {
        let channel = try DrivenChannel.connected()
        for _ in 0..<1000 { channel.core.cancel(startLarge(channel).outgoing) }
        let waiting = startLarge(channel)
        let connection = channel.core.endpoints.find(1)
        let parked = try #require(connection).exchange.parkedCount
        #expect((1...68).contains(parked))
        channel.last.reply(to: try probe(channel), info: announcement)
        #expect(channel.last.requests().map(\.id) == [waiting.idText])
    }

    // MARK: Going away

    @Test("A connection whose only reply was that to the probe has worked")
    func workedByProbe() throws {
        let channel = try DrivenChannel()
        startLarge(channel)
        channel.last.connect()
        channel.last.reply(to: try probe(channel), info: announcement)
        channel.last.goAway()
        #expect(channel.state != .transientFailure)
    }

    @Test("A call that waits moves at once from a connection that has worked and goes away")
    func goingAway() throws {
        let channel = try DrivenChannel.connected()
        let call = startLarge(channel)
        channel.last.goAway()
        channel.last.connect()
        channel.last.reply(to: try probe(channel), info: announcement)
        #expect(channel.last.requests().map(\.id) == [call.idText])
    }

    @Test(
        "A server that goes away each time ends a call that waits after maxAttempts connections",
        arguments: [false, true])
    func alwaysGoingAway(replies: Bool) throws {
        let channel = try DrivenChannel.connected()
        let call = startLarge(channel)
        for _ in 0..<10 where call.ends.isEmpty {
            if channel.state == .connecting { channel.last.connect() }
            if replies {
                let other = channel.start()
                channel.last.reply(to: other.idText)
            }
            channel.last.goAway()
            channel.tick(after: .seconds(1))
        }
        #expect(call.ends == [.error(.unavailable)])
        #expect(channel.connector.made.count <= 5)
    }
}
