import RocketBalancing
import RocketBase
import RocketSystem
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

/// How calls end that were hedged: two servers have them.
@Suite struct HedgingEndTests {
    /// The ids that a server was told are cancelled.
    func cancelled(_ transport: FakeTransport) -> [String] {
        transport.requests().filter { $0.method == "rocket.cancel" }.map(\.id)
    }

    @Test("The reply to the hedge counts where it is first; the first attempt is cancelled")
    func hedgeWins() throws {
        let hedged = try HedgedChannel()
        let (call, first, second) = try hedged.hedged()
        second.reply(to: call.idText, payload: [2])
        #expect(call.ends == [.response([2])])
        #expect(cancelled(first) == [call.idText] && cancelled(second).isEmpty)
        let statistics = hedged.channel.statistics
        #expect(statistics.hedgesWon == 1 && statistics.cancelsSent == 1)
        #expect(statistics.callsInFlight == 0 && hedged.isEmpty)
        first.reply(to: call.idText, payload: [1])
        #expect(hedged.channel.statistics.lateReplies == 1)
    }

    @Test("The reply to the first attempt counts where it is first; the hedge is cancelled")
    func firstWins() throws {
        let hedged = try HedgedChannel()
        let (call, first, second) = try hedged.hedged()
        first.reply(to: call.idText, payload: [1])
        #expect(call.ends == [.response([1])])
        #expect(cancelled(second) == [call.idText] && cancelled(first).isEmpty)
        #expect(hedged.channel.statistics.hedgesWon == 0 && hedged.isEmpty)
        second.reply(to: call.idText, payload: [2])
        #expect(hedged.channel.statistics.lateReplies == 1)
    }

    @Test("An error of the request ends the call, too; one of a server is left to the other server")
    func errors() throws {
        for isHedge in [false, true] {
            let hedged = try HedgedChannel()
            let (refused, first, second) = try hedged.hedged()
            let (replying, other) = isHedge ? (second, first) : (first, second)
            replying.reply(to: refused.idText, code: .permissionDenied)
            #expect(refused.ends == [.error(.permissionDenied)])
            #expect(cancelled(other) == [refused.idText] && hedged.isEmpty)
            for code in [RPCErrorCode.unavailable, .resourceExhausted, .internal, .peerClosed] {
                let hedged = try HedgedChannel()
                let (call, first, second) = try hedged.hedged()
                let (replying, other) = isHedge ? (second, first) : (first, second)
                replying.reply(to: call.idText, code: code)
                #expect(call.ends.isEmpty && hedged.channel.statistics.retries == 0)
                // A repeated reply answers nothing.
                replying.reply(to: call.idText)
                #expect(call.ends.isEmpty, "\(code)")
                other.reply(to: call.idText, payload: [3])
                #expect(call.ends == [.response([3])] && hedged.isEmpty)
                #expect(hedged.channel.statistics.hedgesWon == (isHedge ? 0 : 1))
                #expect(hedged.channel.statistics.cancelsSent == 0)
            }
        }
    }

    @Test("Where both servers fail, the last error counts, or the call is sent again")
    func bothFail() throws {
        let hedged = try HedgedChannel { $0.retry.maxAttempts = 2 }
        let (call, first, second) = try hedged.hedged()
        second.reply(to: call.idText, code: .internal)
        first.reply(to: call.idText, code: .unavailable)
        #expect(call.ends == [.error(.unavailable)] && hedged.isEmpty)

        let patient = try HedgedChannel()
        let (again, one, other) = try patient.hedged()
        one.reply(to: again.idText, code: .unavailable)
        other.reply(to: again.idText, code: .unavailable)
        #expect(again.ends.isEmpty && patient.channel.statistics.retries == 1)
        patient.connectNew(since: 2)
        patient.channel.tick(after: .milliseconds(50))
        let (server, request) = try #require(try patient.requests().first)
        #expect(request.id == again.idText)
        try patient.channel.last(to: server).reply(to: request.id)
        #expect(again.ends == [.response([])])
        #expect(patient.channel.statistics.hedgesWon == 0 && patient.isEmpty)
    }

    @Test("A connection that ends leaves its calls to the other server", arguments: [false, true])
    func lost(isHedge: Bool) throws {
        let hedged = try HedgedChannel()
        let (call, first, second) = try hedged.hedged()
        let (lost, other) = isHedge ? (second, first) : (first, second)
        lost.end()
        hedged.channel.tick(after: .seconds(1))
        #expect(call.ends.isEmpty && hedged.channel.statistics.retries == 0)
        #expect(other.requests().isEmpty)
        other.reply(to: call.idText)
        #expect(call.ends == [.response([])] && hedged.isEmpty)
    }

    @Test("Where both connections end, the call is sent again, as it is idempotent")
    func bothLost() throws {
        let hedged = try HedgedChannel()
        let (call, first, second) = try hedged.hedged()
        second.end()
        first.end()
        #expect(call.ends.isEmpty && hedged.channel.statistics.retries == 1)
        hedged.connectNew(since: 2)
        hedged.channel.tick(after: .seconds(1))
        let (server, request) = try #require(try hedged.requests().first)
        try hedged.channel.last(to: server).reply(to: request.id)
        #expect(call.ends == [.response([])] && hedged.isEmpty)

        let once = try HedgedChannel { $0.retry.maxAttempts = 2 }
        let (lost, one, other) = try once.hedged()
        one.end()
        other.end()
        #expect(lost.ends == [.error(.failedGetReply)] && once.isEmpty)
    }

    @Test("A cancellation, and the deadline, end both attempts")
    func cancel() throws {
        let hedged = try HedgedChannel()
        let (call, first, second) = try hedged.hedged()
        hedged.channel.core.cancel(call.outgoing)
        #expect(call.ends == [.error(.cancelled)])
        #expect(cancelled(first) == [call.idText] && cancelled(second) == [call.idText])
        #expect(hedged.isEmpty && hedged.channel.statistics.cancelsSent == 2)
        let (late, silent, other) = try hedged.hedged(timeout: .milliseconds(500))
        hedged.channel.tick(after: .seconds(1))
        #expect(late.ends == [.error(.callTimeout)])
        #expect(cancelled(silent) == [late.idText] && cancelled(other) == [late.idText])
        // The first attempt had all the time, and its connection has brought nothing.
        #expect(silent.closing == .afterFlush && other.closing == nil)
        other.reply(to: late.idText)
        #expect(hedged.isEmpty && hedged.channel.statistics.lateReplies == 1)
    }

    @Test("Servers that are not notified of cancellations may go on with the attempt that lost")
    func withoutCancel() throws {
        let hedged = try HedgedChannel { $0.sendsCancel = false }
        let (call, first, second) = try hedged.hedged()
        second.reply(to: call.idText)
        #expect(call.ends == [.response([])] && hedged.isEmpty)
        #expect(cancelled(first).isEmpty && hedged.channel.statistics.cancelsSent == 0)
        first.reply(to: call.idText)
        #expect(hedged.channel.statistics.lateReplies == 1)
    }

    @Test("A closed channel ends its hedged calls, and resets or cancels on both connections")
    func closed() throws {
        for signalsReset in [true, false] {
            let hedged = try HedgedChannel()
            let (call, first, second) = try hedged.hedged()
            for transport in [first, second] { transport.signalsReset = signalsReset }
            hedged.channel.core.close()
            #expect(call.ends == [.error(.channelInit)])
            for transport in [first, second] {
                #expect(transport.closing == (signalsReset ? .reset : .afterFlush))
                #expect(cancelled(transport) == (signalsReset ? [] : [call.idText]))
            }
            hedged.channel.tick(after: .seconds(20))
        }
    }

    @Test("A server that leaves the list meanwhile may still answer; its connection closes then")
    func removed() throws {
        for isHedge in [false, true] {
            let hedged = try HedgedChannel()
            let (call, first, second) = try hedged.hedged()
            let (gone, staying) = isHedge ? (second, first) : (first, second)
            hedged.channel.core.replace([RPCEndpoint([staying.peerAddress])])
            #expect(gone.closing == nil && call.ends.isEmpty)
            staying.reply(to: call.idText)
            #expect(call.ends == [.response([])] && gone.closing == .afterFlush)
            #expect(cancelled(gone) == [call.idText] && hedged.isEmpty)

            let other = try HedgedChannel()
            let (answered, one, two) = try other.hedged()
            let (leaving, left) = isHedge ? (two, one) : (one, two)
            other.channel.core.replace([RPCEndpoint([left.peerAddress])])
            leaving.reply(to: answered.idText)
            #expect(answered.ends == [.response([])] && leaving.closing == .afterFlush)
            #expect(cancelled(left) == [answered.idText] && other.isEmpty)
        }
    }

    @Test("A list of one server, before the hedge is due, prevents it")
    func oneLeft() throws {
        let hedged = try HedgedChannel()
        let call = hedged.start()
        let (server, _) = try #require(try hedged.requests().first)
        hedged.channel.core.replace([RPCEndpoint([server])])
        hedged.channel.tick(after: .seconds(1))
        #expect(try hedged.requests().isEmpty)
        try hedged.channel.last(to: server).reply(to: call.idText)
        #expect(call.ends == [.response([])] && hedged.isEmpty)
    }

    @Test("New policies keep the times of methods that are hedged as before")
    func policies() throws {
        let hedged = try HedgedChannel()
        let core = hedged.channel.core
        func apply(_ change: (inout RPCChannelConfiguration) -> Void) {
            var configuration = core.settings.configuration
            change(&configuration)
            core.apply(
                ChannelSettings(
                    source: core.settings.source, configuration: configuration,
                    connector: core.settings.connector), replacesConnections: false)
        }
        let (call, _, second) = try hedged.hedged()
        apply { $0.methods["t.T.m"]?.timeout = .seconds(3) }
        second.reply(to: call.idText)
        #expect(call.ends == [.response([])])
        _ = try hedged.frames()
        let (next, first, _) = try hedged.hedged()
        first.reply(to: next.idText)
        apply { $0.methods["t.T.m"]?.hedging = nil }
        hedged.start()
        _ = try hedged.frames()
        hedged.channel.tick(after: .seconds(1))
        #expect(try hedged.requests().isEmpty && hedged.channel.statistics.hedges == 2)
    }

    @Test("The controller has the number of attempts, and their servers")
    func controller() throws {
        let hedged = try HedgedChannel()
        let controller = RPCController()
        let (call, first, second) = try hedged.hedged { $0.outgoing.controller = controller }
        let both = [first.peerAddress, second.peerAddress]
        #expect(controller.attempts == 2 && controller.attemptedPeers == both)
        first.reply(to: call.idText)
        #expect(controller.peerAddress == first.peerAddress)

        let retried = RPCController()
        let again = hedged.start {
            $0.outgoing.controller = retried
            $0.outgoing.policy = nil
            $0.parameters.deadline = hedged.channel.now + .seconds(100)
        }
        for _ in 0..<3 {
            let (server, _) = try #require(try hedged.requests().first)
            let made = hedged.channel.connector.made.count
            try hedged.channel.last(to: server).reply(to: again.idText, code: .unavailable)
            hedged.connectNew(since: made)
            hedged.channel.tick(after: .seconds(1))
        }
        #expect(retried.attempts == 4 && retried.attemptedPeers.count == 4)
    }
}
