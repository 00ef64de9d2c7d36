import RocketBase
import RocketSystem
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

/// When a channel connects, and how its calls end when that fails.
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

    @Test("The first call opens the connection")
    func connectsWithFirstCall() throws {
        let channel = try channel()
        #expect(channel.connector.made.isEmpty && channel.state == .idle)
        channel.start()
        channel.start()
        #expect(channel.connector.made.count == 1 && channel.state == .connecting)
        channel.last.connect()
        #expect(channel.state == .ready)
        #expect(channel.last.requests().count == 2)
    }

    @Test("connect() opens the connection once, ahead of the first call")
    func connectsAhead() throws {
        let channel = try channel()
        channel.core.connect()
        channel.core.connect()
        #expect(channel.connector.made.count == 1)
        channel.last.connect()
        channel.core.connect()
        #expect(channel.connector.made.count == 1 && channel.state == .ready)
    }

    @Test("Calls fail at once from a refused connection until the back-off has ended")
    func failsDuringBackOff() throws {
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

    @Test("A call that waits for ready survives failures to connect")
    func waitsForReady() throws {
        let channel = try channel()
        let call = channel.start { $0.parameters.waitsForReady = true }
        for attempt in 1...5 {
            #expect(channel.connector.made.count == attempt)
            channel.last.refuse()
            channel.tick(after: .milliseconds(100))
        }
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == [call.idText])
    }

    @Test("The channel's waitsForReady applies to calls that don't set it")
    func waitsForReadyByDefault() throws {
        let channel = try channel { $0.waitsForReady = true }
        let waiting = channel.start(timeout: .milliseconds(150))
        let failFast = channel.start { $0.parameters.waitsForReady = false }
        channel.last.refuse()
        #expect(waiting.ends.isEmpty && failFast.ends == [.error(.peerClosed)])
        channel.tick(after: .milliseconds(100))
        #expect(channel.state == .connecting)
        channel.tick(after: .milliseconds(50))
        #expect(waiting.ends == [.error(.callTimeout)])
    }

    @Test("The next call opens a new connection after the last one ended")
    func reconnects() throws {
        let channel = try channel()
        let first = channel.start()
        channel.last.connect()
        channel.last.reply(to: first.idText)
        channel.last.end(.peerFinished)
        #expect(channel.state == .idle && channel.statistics.connectionsLost == 1)
        channel.start()
        #expect(channel.connector.made.count == 2)
    }

    @Test("A connection that ends before its first reply counts as a failure to connect")
    func acceptsOnly() throws {
        let channel = try channel()
        let call = channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        channel.last.end()
        #expect(call.ends == [.error(.failedGetReply)])
        #expect(channel.state == .transientFailure)
        #expect(channel.start().ends == [.error(.peerClosed)])
    }

    @Test("Subscribers receive each state once, from idle to closed")
    func states() async throws {
        let channel = try channel()
        let states = channel.core.context.broadcaster.subscribe()
        channel.start { $0.parameters.waitsForReady = true }
        channel.last.refuse()
        channel.tick(after: .milliseconds(100))
        channel.last.connect()
        channel.core.close()
        var received: [RPCChannelState] = []
        for await state in states { received.append(state) }
        #expect(
            received == [.idle, .connecting, .transientFailure, .connecting, .ready, .closed])
        for await state in channel.core.context.broadcaster.subscribe() {
            #expect(state == .closed)
        }
    }

    // MARK: A pool

    @Test("A pool grows with the calls and spreads them")
    func poolGrows() throws {
        let channel = try channel { $0.poolSize = 3 }
        let calls = (0..<2).map { _ in channel.start() }
        channel.last.connect()
        #expect(channel.connector.made.count == 2, "both calls are on one connection")
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

    @Test("A reply on another connection than the call's is dropped")
    func replyOnOtherConnection() throws {
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

    @Test("The end of one connection leaves the calls of another alone")
    func oneOfTwoEnds() throws {
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

    @Test("A broken frame closes the connection and ends its calls")
    func brokenFrame() throws {
        let channel = try channel()
        let call = channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        channel.last.receive([0x02, 0, 0, 0, 1])
        #expect(channel.last.closing == .now)
        #expect(channel.statistics.brokenStreams == 1)
        channel.last.end(.rejected("bad frame"))
        #expect(call.ends == [.error(.failedGetReply)])
    }

    @Test("A call whose reply never completes ends with its deadline")
    func incompleteReply() throws {
        let channel = try channel()
        let call = channel.start(timeout: .milliseconds(500))
        channel.last.connect()
        channel.last.receive([0x02, 0, 0, 0, 60, 0, 0, 0, 20])
        channel.tick(after: .milliseconds(500))
        #expect(call.ends == [.error(.callTimeout)])
    }

    @Test("10,000 calls end once each when the connection is lost")
    func manyCallsLost() throws {
        let channel = try channel()
        let calls = (0..<10_000).map { _ in channel.start() }
        channel.last.connect()
        #expect(channel.last.requests().count == 10_000)
        channel.last.end()
        #expect(calls.allSatisfy { $0.ends == [.error(.failedGetReply)] })
        #expect(channel.statistics.callsInFlight == 0)
    }

    @Test("The error says what a server speaks that does not speak TinyPB")
    func otherProtocol() throws {
        let channel = try DrivenChannel()
        let call = channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        channel.last.receive([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100])
        let reason = try #require(channel.last.closeReason)
        channel.last.end(reason)
        #expect(call.ends == [.error(.failedGetReply)])
        #expect(call.outgoing.error?.message.contains("HTTP/2 and not TinyPB") == true, "\(reason)")
        #expect(call.outgoing.error?.message.contains(".grpc()") == true)
    }
}
