import RocketBase
import RocketCodec
import RocketSystem
import RocketTCP
import Testing

@testable import RocketRPC

/// Which calls a channel sends again, and when.
@Suite struct ChannelRetryTests {
    func channel(_ configure: (inout RPCChannelConfiguration) -> Void = { _ in }) throws
        -> DrivenChannel
    {
        try DrivenChannel {
            $0.connectBackOff = BackOff(first: .milliseconds(100), most: .milliseconds(100))
            $0.retry.backOff = BackOff(first: .milliseconds(50), most: .milliseconds(50))
            configure(&$0)
        }
    }

    @Test("A call whose request did not leave whole is sent again")
    func unseen() throws {
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
        channel.tick(after: .milliseconds(50))
        channel.last.connect()
        #expect(Set(channel.last.requests().map(\.id)) == [cut.idText, unseen.idText])
        channel.last.reply(to: unseen.idText)
        channel.last.reply(to: cut.idText)
        #expect(cut.ends == [.response([])] && unseen.ends == [.response([])])
        #expect(channel.statistics.retries == 2)
    }

    @Test("A call that may have been processed is sent again only if it is idempotent")
    func idempotent() throws {
        let channel = try channel()
        let first = channel.start()
        channel.last.connect()
        channel.last.reply(to: first.idText)
        let plain = channel.start()
        let idempotent = channel.start { $0.parameters.isIdempotent = true }
        _ = channel.last.requests()
        channel.last.end()
        #expect(plain.ends == [.error(.failedGetReply)])
        #expect(idempotent.ends.isEmpty)
        channel.tick(after: .milliseconds(50))
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == [idempotent.idText])
    }

    @Test(
        "A call that is sent again says how often it was sent, where the wire has a key for it",
        arguments: [nil, "x-attempts"])
    func attemptsKey(_ key: String?) throws {
        let channel = try channel()
        channel.connector.attemptsKey = key
        let call = channel.start { $0.parameters.metadata = ["x-a": "1"] }
        channel.last.connect()
        for attempt in 0..<3 {
            let request = try #require(channel.last.requests().first)
            let counts = key != nil && attempt > 0
            #expect(request.info.contains("x-a=1\n"))
            #expect(request.info.contains("attempts") == counts)
            if counts { #expect(request.info.contains("x-attempts=\(attempt)\n")) }
            channel.last.reply(
                to: call.idText, code: attempt < 2 ? .unavailable : .init(rawValue: 0))
            channel.tick(after: .milliseconds(100))
        }
        #expect(call.ends == [.response([])])
    }

    @Test("A call whose metadata has no room for the number of attempts is sent again without")
    func attemptsWithoutRoom() throws {
        let channel = try channel()
        channel.connector.attemptsKey = "x-attempts"
        channel.connector.peerIsKnown = true
        let value = String(repeating: "a", count: 8192 - "rkm1\ntimeout-ms=10000\nx-a=\n".count)
        let call = channel.start { $0.parameters.metadata = ["x-a": value] }
        channel.last.connect()
        _ = channel.last.requests()
        channel.last.reply(to: call.idText, code: .unavailable)
        channel.tick(after: .milliseconds(100))
        #expect(channel.last.requests().first?.info.contains("attempts") == false)
        channel.last.reply(to: call.idText)
        #expect(call.ends == [.response([])])
    }

    @Test("A call is sent again that a server ends which stops, if it is idempotent")
    func serverStops() throws {
        let channel = try channel()
        let first = channel.start()
        channel.last.connect()
        channel.last.reply(to: first.idText)
        let plain = channel.start()
        let idempotent = channel.start { $0.parameters.isIdempotent = true }
        _ = channel.last.requests()
        let old = channel.last
        for call in [plain, idempotent] {
            old.reply(to: call.idText, code: .peerClosed, info: "the server stopped")
        }
        #expect(plain.ends == [.error(.peerClosed)])
        #expect(idempotent.ends.isEmpty && old.closing == .afterFlush)
        channel.tick(after: .milliseconds(50))
        #expect(channel.last !== old)
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == [idempotent.idText])
        #expect(channel.statistics.retries == 1)
    }

    @Test("No more attempts are made than maxAttempts")
    func attempts() throws {
        let channel = try channel { $0.retry.maxAttempts = 3 }
        let call = channel.start { $0.parameters.isIdempotent = true }
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

    @Test("A call that was sent waits for the server to come back")
    func serverComesBack() throws {
        let channel = try channel()
        let call = channel.start { $0.parameters.isIdempotent = true }
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

    @Test("A call answered UNAVAILABLE is sent again in the next tick, then after a back-off")
    func unavailable() throws {
        let channel = try channel()
        let call = channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        channel.last.reply(to: call.idText, code: .unavailable, info: "draining")
        #expect(call.ends.isEmpty && channel.last.requests().isEmpty, "not before the next tick")
        channel.tick(after: .nanoseconds(1))
        #expect(channel.last.requests().map(\.id) == [call.idText])
        channel.last.reply(to: call.idText, code: .unavailable, info: "draining")
        channel.tick(after: .milliseconds(24))
        #expect(channel.last.requests().isEmpty, "the back-off is at least 25 ms")
        channel.tick(after: .milliseconds(26))
        #expect(channel.last.requests().map(\.id) == [call.idText])
        channel.last.reply(to: call.idText, payload: [1])
        #expect(call.ends == [.response([1])])
        #expect(channel.statistics.retries == 2)
    }

    @Test("UNAVAILABLE is the error after the last attempt, or when the time is too short")
    func unavailableInTheEnd() throws {
        let channel = try channel { $0.retry.maxAttempts = 3 }
        let call = channel.start()
        let short = channel.start(timeout: .milliseconds(20))
        channel.last.connect()
        for id in [short.idText, call.idText] { channel.last.reply(to: id, code: .unavailable) }
        channel.tick(after: .nanoseconds(1))
        #expect(short.ends.isEmpty && channel.last.requests().count == 4)
        for id in [short.idText, call.idText] { channel.last.reply(to: id, code: .unavailable) }
        #expect(short.ends == [.error(.unavailable)], "the back-off would end after the deadline")
        channel.tick(after: .milliseconds(50))
        channel.last.reply(to: call.idText, code: .unavailable)
        #expect(call.ends == [.error(.unavailable)])
    }

    @Test("RPCRetryPolicy.never sends no call again")
    func never() throws {
        let channel = try channel { $0.retry = .never }
        let call = channel.start { $0.parameters.isIdempotent = true }
        channel.last.connect()
        channel.last.reply(to: call.idText, code: .unavailable)
        #expect(call.ends == [.error(.unavailable)])
        let unseen = channel.start()
        channel.last.end()
        #expect(unseen.ends == [.error(.failedGetReply)])
    }

    @Test("A draining server's connection is replaced, and closed after its last call")
    func replacesDraining() throws {
        let channel = try channel()
        let slow = channel.start()
        let first = channel.start()
        channel.last.connect()
        channel.last.reply(to: first.idText)
        let old = channel.last
        let refused = channel.start()
        old.reply(to: refused.idText, code: .unavailable, info: "draining")
        channel.tick(after: .nanoseconds(1))
        #expect(channel.connector.made.count == 2)
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == [refused.idText])
        #expect(old.closing == nil)
        old.reply(to: slow.idText, payload: [9])
        #expect(slow.ends == [.response([9])])
        #expect(old.closing == .afterFlush)
    }

    @Test("A call in back-off ends by deadline, cancellation and close")
    func endsInBackOff() throws {
        let channel = try channel()
        let cancelled = channel.start()
        let overdue = channel.start(timeout: .milliseconds(60))
        let closed = channel.start()
        let calls = [cancelled, overdue, closed]
        channel.last.connect()
        for call in calls { channel.last.reply(to: call.idText, code: .unavailable) }
        channel.tick(after: .nanoseconds(1))
        _ = channel.last.requests()
        // The second back-off takes 25 to 50 ms, the third 50.
        for call in calls { channel.last.reply(to: call.idText, code: .unavailable) }
        channel.core.cancel(cancelled.outgoing)
        #expect(cancelled.ends == [.error(.cancelled)])
        #expect(
            channel.last.requests().isEmpty, "no connection carries the call, so no cancel is sent")
        channel.tick(after: .milliseconds(50))
        for call in [overdue, closed] { channel.last.reply(to: call.idText, code: .unavailable) }
        _ = channel.last.requests()
        #expect(overdue.ends == [.error(.unavailable)], "the back-off would end after the deadline")
        channel.core.close()
        #expect(closed.ends == [.error(.channelInit)])
        #expect(calls.allSatisfy { $0.ends.count == 1 })
    }

    @Test("The calls of a lost connection are sent again at times of their own")
    func jitter() throws {
        let channel = try channel()
        let worked = channel.start()
        channel.last.connect()
        channel.last.reply(to: worked.idText)
        let calls = (0..<200).map { _ in channel.start { $0.parameters.isIdempotent = true } }
        _ = channel.last.requests()
        channel.last.end()
        #expect(channel.connector.made.count == 1, "none is sent at once")
        channel.tick(after: .milliseconds(25))
        channel.last.connect()
        let early = channel.last.requests().count
        // A fair coin shows less than 50 or more than 150 heads of 200 with probability 1e-12.
        #expect((50...150).contains(early))
        channel.tick(after: .milliseconds(25))
        #expect(channel.last.requests().count == calls.count - early)
        #expect(channel.statistics.retries == 200)
    }

    @Test("The wait after a lost connection is below that of the back-off")
    func jitterLimits() {
        var policy = RPCRetryPolicy()
        policy.backOff = BackOff(first: .milliseconds(50), most: .milliseconds(150))
        var random = SystemRandomNumberGenerator()
        for (attempts, most) in [(1, 50), (2, 100), (3, 150), (100, 150)] {
            for _ in 0..<100 {
                let wait = policy.jitter(afterAttempts: attempts, using: &random)
                #expect(wait >= .zero && wait < .milliseconds(most))
            }
        }
    }

    @Test("A call whose deadline is near is sent again without a wait")
    func jitterBeforeDeadline() throws {
        let channel = try channel {
            $0.retry.backOff = BackOff(first: .seconds(1000), most: .seconds(1000))
        }
        let worked = channel.start()
        channel.last.connect()
        channel.last.reply(to: worked.idText)
        // The wait is longer than the time left, but for one in 10^8.
        let call = channel.start(timeout: .microseconds(10)) { $0.parameters.isIdempotent = true }
        channel.last.end()
        channel.last.connect()
        #expect(channel.last.requests().map(\.id) == [call.idText])
    }
}
