import RocketBase
import RocketHTTP2
import RocketHTTP2TestKit
import Testing

private func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}

@Suite struct FlowControlTests {
    @Test("Bodies far above the windows arrive in both directions", arguments: [1_000, Int.max])
    func large(part: Int) throws {
        var windows = HTTP2Configuration()
        windows.streamWindowBytes = 5_000
        let pair = try HTTP2Pair(client: windows, server: windows)
        pair.part = part
        pair.echo()
        pair.serverEvents.onData = { [unowned pair] in pair.server.consumed($1, on: $0) }
        pair.clientEvents.onData = { [unowned pair] in pair.client.consumed($1, on: $0) }
        pair.serverEvents.onInputEnded = { [unowned pair] stream in
            pair.serverEvents.bodies[stream] = .init(
                pair.serverEvents.received[stream] ?? [], end: .endWithTrailers(okTrailers))
            pair.server.headers(okHeaders, on: stream, endsStream: false)
        }
        let body = bytes(200_000)
        let stream = try pair.call(body)
        try pair.exchange()
        #expect(pair.clientEvents.received[stream] == body)
        #expect(pair.clientEvents.closed[stream] == .noError)
        #expect(pair.server.counters.receivedDataBytes == 200_000)
        #expect(pair.client.counters.windowUpdates >= 20)
    }

    @Test("Without consumed, a sender stops at the window; with it, it goes on")
    func window() throws {
        let pair = try HTTP2Pair()
        let stream = try pair.call(bytes(600 << 10))
        try pair.exchange()
        #expect(pair.serverEvents.received[stream]?.count == 256 << 10)
        #expect(pair.client.sendWindow(of: stream) == 0 && !pair.client.wantsSend)
        pair.server.consumed((128 << 10) - 1, on: stream)
        #expect(!pair.server.wantsSend)
        pair.server.consumed(1, on: stream)
        try pair.exchange()
        #expect(pair.serverEvents.received[stream]?.count == 384 << 10)
    }

    @Test("A stream whose bytes are not consumed holds no more of the connection than its window")
    func stuckReader() throws {
        let pair = try HTTP2Pair()
        pair.echo()
        let stuck = try pair.call(bytes(600 << 10))
        try pair.exchange()
        #expect(pair.serverEvents.received[stuck]?.count == 256 << 10)
        for _ in 0..<100 {
            let stream = try pair.call(bytes(20_000))
            try pair.exchange()
            #expect(pair.clientEvents.received[stream]?.count == 20_000)
            pair.client.consumed(20_000, on: stream)
        }
    }

    @Test("Bytes are returned after the stream has ended, too")
    func consumedLate() throws {
        var windows = HTTP2Configuration()
        windows.connectionWindowBytes = 65_535
        let pair = try HTTP2Pair(server: windows)
        for round in 0..<10 {
            let stream = try pair.call(bytes(60_000))
            try pair.exchange()
            #expect(pair.serverEvents.received[stream]?.count == 60_000, "round \(round)")
            pair.client.reset(stream, .cancel)
            try pair.exchange()
            #expect(pair.serverEvents.closed[stream] == .cancel)
            pair.server.consumed(60_000, on: stream)
            try pair.exchange()
        }
    }

    @Test("Bytes of a stream that has been reset count as consumed")
    func ignoredBytes() throws {
        var windows = HTTP2Configuration()
        windows.connectionWindowBytes = 65_535
        var peer = try RawPeer(windows)
        peer.send([.headers(1, requestBlock(), ends: false)])
        peer.session.reset(HTTP2StreamID(rawValue: 1), .cancel)
        _ = peer.frames()
        for _ in 0..<100 {
            peer.send([.data(1, bytes(16_000))])
            _ = peer.frames()
        }
        #expect(peer.error == nil)
    }

    @Test(
        "A reader that gives no window holds no bytes of the session, and the others don't notice")
    func noWindow() throws {
        let pool = HTTP2MemoryPool()
        var windows = HTTP2Configuration()
        windows.streamWindowBytes = 0
        let events = HTTP2Recorder()
        let server = try HTTP2Session(role: .server, memory: pool, handler: events)
        let preface = HTTP2Session.preface + RawFrame.settings([(4, 0)]).bytes
        try server.receive(preface)
        for number in 0..<100 as Range<UInt32> {
            let stream = HTTP2StreamID(rawValue: Int32(2 * number + 1))
            try server.receive(RawFrame.headers(2 * number + 1, requestBlock()).bytes)
            events.bodies[stream] = .init(bytes(100_000))
            server.headers(okHeaders, on: stream, endsStream: false)
        }
        #expect(server.frames().filter { $0.type == 1 }.count == 100)
        #expect(!server.wantsSend && pool.usedBytes < 100 * 1_000 + 40_000)
        // One byte more, and it is one byte.
        try server.receive(RawFrame.windowUpdate(1, 1).bytes)
        #expect(server.frames() == [.data(1, [0])])
        try server.receive(RawFrame.windowUpdate(3, 50_000).bytes)
        #expect(server.frames().map(\.payload.count).reduce(0, +) == 50_000)
    }

    @Test("A window that the peer makes negative stops a stream until it is positive again")
    func negativeWindow() throws {
        var peer = try RawPeer()
        let stream = HTTP2StreamID(rawValue: 1)
        peer.send([.headers(1, requestBlock())])
        peer.events.bodies[stream] = .init(bytes(100_000))
        peer.session.headers(okHeaders, on: stream, endsStream: false)
        _ = peer.frames()
        peer.send([.settings([(4, 0)]), .windowUpdate(0, 1_000_000)])
        _ = peer.frames()
        #expect(peer.session.sendWindow(of: stream) == 0)
        peer.send([.windowUpdate(1, 65_535)])
        #expect(peer.frames().isEmpty)
        peer.send([.windowUpdate(1, 10)])
        #expect(peer.frames().map(\.payload.count) == [10])
    }

    @Test("Bodies take turns, so that a long one does not hold up a short one")
    func fairness() throws {
        var peer = try RawPeer()
        peer.send([.windowUpdate(0, 1_000_000), .settings([(4, 1_000_000)])])
        _ = peer.frames()
        for (id, count) in [(1, 300_000), (3, 300_000), (5, 20_000)] as [(Int32, Int)] {
            let stream = HTTP2StreamID(rawValue: id)
            peer.send([.headers(UInt32(id), requestBlock())])
            peer.events.bodies[stream] = .init(bytes(count))
            peer.session.headers(okHeaders, on: stream, endsStream: false)
        }
        let order = peer.frames().filter { $0.type == 0 }.map(\.stream)
        #expect(order.prefix(6).sorted() == [1, 1, 3, 3, 5, 5])
    }

    @Test("send returns near its limit, and goes on where it stopped")
    func limit() throws {
        var peer = try RawPeer()
        let stream = HTTP2StreamID(rawValue: 1)
        peer.send([
            .headers(1, requestBlock()), .windowUpdate(0, 100_000), .windowUpdate(1, 100_000),
        ])
        peer.events.bodies[stream] = .init(bytes(100_000))
        peer.session.headers(okHeaders, on: stream, endsStream: false)
        var output = ByteBuffer()
        var sizes: [Int] = []
        while peer.session.wantsSend {
            let before = output.readableBytes
            try peer.session.send(into: &output, atMost: 20_000)
            sizes.append(output.readableBytes - before)
        }
        #expect(sizes.count > 2 && sizes.dropLast().allSatisfy { (20_000..<36_400).contains($0) })
        let data = RawFrame.read(output.copyBytes()).filter { $0.type == 0 }
        #expect(data.flatMap(\.payload) == bytes(100_000))
        #expect(data.last?.flags == RawFrame.endStream)
    }
}
