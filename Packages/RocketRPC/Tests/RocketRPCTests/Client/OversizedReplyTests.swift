import RocketBase
import RocketCodec
import RocketSystem
import RocketTCP
import Testing

@testable import RocketRPC

/// Replies that are larger than the channel's frame limit, here 1,000 bytes.
@Suite struct OversizedReplyTests {
    func connected() throws -> DrivenChannel {
        let channel = try DrivenChannel { $0.codec = TinyPBCodec(maxFrameBytes: 1000) }
        let first = channel.start()
        channel.last.connect()
        channel.last.reply(to: first.idText)
        _ = channel.last.requests()
        return channel
    }

    func reply(to call: FakeCall, payloadBytes: Int) throws -> [UInt8] {
        try FrameKit().frame(
            id: call.idText, "t.T.m", payload: [UInt8](repeating: 0x03, count: payloadBytes))
    }

    @Test(
        "Only the call of an oversized reply fails, and is not sent again",
        arguments: [1, 7, 64, 5000, 100_000])
    func onlyThatCall(step: Int) throws {
        let channel = try connected()
        let large = channel.start { $0.parameters.isIdempotent = true }
        let other = channel.start()
        _ = channel.last.requests()
        let small = try reply(to: other, payloadBytes: 3)
        let bytes = try reply(to: large, payloadBytes: 5000) + small
        for start in stride(from: 0, to: bytes.count, by: step) {
            channel.last.receive([UInt8](bytes[start..<min(start + step, bytes.count)]))
            #expect(channel.last.unconsumedBytes < 100, "no byte of the reply is kept")
        }
        let error = try #require(large.outgoing.error)
        #expect(error.code == .resourceExhausted)
        #expect(error.message.contains("5051") && error.message.contains("1000"), "\(error)")
        #expect(other.ends == [.response([3, 3, 3])])
        #expect(channel.last.closing == nil && channel.state == .ready)
        #expect(channel.last.requests().isEmpty && channel.statistics.retries == 0)
        let next = channel.start()
        channel.last.reply(to: next.idText)
        #expect(next.ends == [.response([])])
    }

    @Test("A call whose reply is oversized is in flight no more")
    func callsInFlight() throws {
        let channel = try connected()
        let call = channel.start()
        #expect(channel.statistics.callsInFlight == 1)
        channel.last.receive(try reply(to: call, payloadBytes: 5000))
        #expect(channel.statistics.callsInFlight == 0)
    }

    @Test("An oversized reply to no call is counted and skipped")
    func unknown() throws {
        let channel = try connected()
        let call = channel.start()
        channel.last.receive(
            try FrameKit().frame(id: "nobody", payload: [UInt8](repeating: 1, count: 2000)))
        channel.last.reply(to: call.idText)
        #expect(call.ends == [.response([])] && channel.statistics.unknownReplies == 1)
    }

    @Test("A reply of 16 times the limit is skipped, one byte more closes the connection")
    func bound() throws {
        let overhead = 26 + 20 + 5
        let channel = try connected()
        let skipped = channel.start()
        channel.last.receive(try reply(to: skipped, payloadBytes: 16_000 - overhead))
        #expect(skipped.ends == [.error(.resourceExhausted)] && channel.last.closing == nil)
        let refused = channel.start { $0.parameters.isIdempotent = true }
        let other = channel.start()
        _ = channel.last.requests()
        channel.last.receive(try reply(to: refused, payloadBytes: 16_001 - overhead))
        #expect(refused.ends == [.error(.resourceExhausted)], "not sent again")
        #expect(channel.last.closing == .now)
        channel.last.end(.rejected("bad frame"))
        #expect(other.ends == [.error(.failedGetReply)])
    }

    @Test("An oversized frame without its end marker closes the connection")
    func noEndMarker() throws {
        let channel = try connected()
        let call = channel.start()
        var bytes = try reply(to: call, payloadBytes: 5000)
        bytes[bytes.count - 1] = 0x02
        channel.last.receive([UInt8](bytes.dropLast()))
        #expect(channel.last.closing == nil)
        channel.last.receive([0x02])
        #expect(channel.last.closing == .now)
    }

    @Test("An oversized frame with an unsound head closes the connection")
    func unsoundHead() throws {
        let channel = try connected()
        let call = channel.start()
        var bytes = try reply(to: call, payloadBytes: 5000)
        bytes[5] = 0x7F
        channel.last.receive(bytes)
        #expect(channel.last.closing == .now)
    }
}
