import RocketBase
import RocketHTTP2
import RocketHTTP2TestKit
import Testing

/// Lists of headers at their limit and above it.
@Suite struct HeaderLimitTests {
    /// The size of the fields that each request has.
    private static let fixed =
        4 * 32 + ":method:scheme:path:authorityPOSThttp/p.S/Mlocalhost".utf8.count

    private func limits(_ bytes: Int) -> HTTP2Configuration {
        var limits = HTTP2Configuration()
        limits.headerListBytes = bytes
        return limits
    }

    @Test("A list as large as the limit is reported; one more byte, and only its beginning is")
    func edge() throws {
        var peer = try RawPeer(limits(1_000))
        let room = 1_000 - Self.fixed - 33
        peer.send([
            .headers(1, requestBlock() + literal("a", String(repeating: "x", count: room)))
        ])
        #expect(peer.events.events.suffix(2) == ["end of headers of 1", "end of 1"])

        peer.events.removeEvents()
        peer.send([
            .headers(3, requestBlock() + literal("a", String(repeating: "x", count: room + 1)))
        ])
        #expect(
            peer.events.events == [
                "headers of 3", ":method: POST", ":scheme: http", ":path: /p.S/M",
                ":authority: localhost", "headers too large of 3", "end of 3",
            ])
        #expect(peer.frames().map(\.code) == [.enhanceYourCalm])
        #expect(peer.session.counters.headersTooLarge == 1 && peer.error == nil)
    }

    @Test("A list of 4 times the limit refuses a stream; a larger one ends the connection")
    func bomb() throws {
        for (more, expected) in [
            (0, Answer.reset(1, .enhanceYourCalm)), (4, .goAway(.enhanceYourCalm)),
        ] {
            var peer = try RawPeer(limits(1_000))
            let room = 4_003 - Self.fixed - 33 + (more == 0 ? 0 : 1)
            let block = requestBlock() + literal("a", String(repeating: "x", count: room))
            #expect(peer.answer(to: RawFrame.headers(1, block).bytes) == expected)
        }
    }

    @Test("A few bytes that stand for many: a field of 4,000 bytes, 16,000 times")
    func compressionBomb() throws {
        var peer = try RawPeer()
        var block = requestBlock()
        // Into the table (RFC 7541, 6.2.1), then its index again and again.
        block += [0x40] + literal("a", String(repeating: "x", count: 4_000)).dropFirst()
        block += Array(repeating: 0xBE, count: 16_384 - block.count)
        #expect(peer.answer(to: RawFrame.headers(1, block).bytes) == .goAway(.enhanceYourCalm))
        #expect(peer.error == .flood(.headers))
        #expect(!peer.events.events.contains("end of headers of 1"))
    }

    @Test(
        "A receive stops behind so many bytes of decoded headers; the next one goes on from there")
    func perReceive() throws {
        var configuration = HTTP2Configuration()
        configuration.headerBytesPerReceive = 100_000
        let events = HTTP2Recorder()
        let session = try HTTP2Session(
            role: .server, configuration: configuration, handler: events)
        try session.receive(HTTP2Session.preface + RawFrame.settings().bytes)
        // Into the table, then its index three times in each of 200 requests: 12 KiB of a few bytes.
        let entry = [0x40] + literal("a", String(repeating: "x", count: 4_000)).dropFirst()
        var bytes = RawFrame.headers(1, requestBlock() + entry).bytes
        for number in 1..<200 {
            bytes +=
                RawFrame.headers(
                    UInt32(2 * number + 1), requestBlock() + [0xBE, 0xBE, 0xBE]
                ).bytes
        }
        bytes += RawFrame.ping().bytes
        let frames = session.counters.frames
        var buffer = ByteBuffer()
        buffer.append(bytes)
        var calls = 0
        while !buffer.isEmpty {
            let before = session.counters.streams
            let taken = try buffer.withBytes { (bytes) throws(HTTP2Error) in
                try session.receive(bytes)
            }
            buffer.consume(taken)
            calls += 1
            // 9 requests have more than 100,000 bytes.
            #expect(session.counters.streams - before <= 10)
        }
        #expect(calls >= 20 && session.counters.streams == 200)
        #expect(session.counters.frames - frames == 201 && session.counters.pings == 1)
    }

    @Test("Many small fields count 32 bytes each")
    func manyFields() throws {
        var peer = try RawPeer()
        let block = requestBlock() + Array(repeating: literal("a", ""), count: 4_000).flatMap { $0 }
        let first = RawFrame(type: 1, flags: 1, stream: 1, payload: Array(block.prefix(16_000)))
        let rest = RawFrame.continuation(1, Array(block.dropFirst(16_000)))
        #expect(peer.answer(to: first.bytes + rest.bytes) == .goAway(.enhanceYourCalm))
    }

    @Test("Trailers are limited, too")
    func trailers() throws {
        var peer = try RawPeer(limits(1_000))
        peer.send([.headers(1, requestBlock(), ends: false)])
        let trailers = literal("a", String(repeating: "x", count: 1_000))
        #expect(
            peer.answer(to: RawFrame.headers(1, trailers).bytes) == .reset(1, .enhanceYourCalm))
    }

    @Test("A sender's headers of more than a frame are split, and arrive")
    func largeHeaders() throws {
        var limits = HTTP2Configuration()
        limits.headerListBytes = 100_000
        let pair = try HTTP2Pair(server: limits)
        pair.part = 1_000
        var headers = requestHeaders
        for number in 0..<10 {
            // Bytes that Huffman's code does not make shorter.
            headers.add("name-\(number)", String(repeating: "<", count: 4_000))
        }
        _ = try pair.client.request(headers, endsStream: true)
        try pair.exchange()
        #expect(pair.server.counters.continuations > 0)
        #expect(pair.serverEvents.events.suffix(2) == ["end of headers of 1", "end of 1"])
    }
}
