import RocketHTTP2
import RocketHTTP2TestKit
import Testing

/// The life of streams, and of a connection that ends.
@Suite struct StreamTests {
    @Test("A response may end with its headers, with its body, or with trailers and no body")
    func endings() throws {
        for end in 0..<4 {
            var peer = try RawPeer()
            let stream = HTTP2StreamID(rawValue: 1)
            peer.send([.headers(1, requestBlock())])
            switch end {
            case 0: break
            case 1: peer.events.bodies[stream] = .init([1])
            case 2: peer.events.bodies[stream] = .init([], end: .end)
            default: peer.events.bodies[stream] = .init([], end: .endWithTrailers(okTrailers))
            }
            peer.session.headers(okHeaders, on: stream, endsStream: end == 0)
            let expected: [[UInt8]] = [[1], [1, 0], [1, 0], [1, 1]]
            let frames = peer.frames()
            #expect(frames.map(\.type) == expected[end])
            #expect(frames.map { $0.flags & 1 } == (end == 0 ? [1] : [0, 1]))
            #expect(peer.events.closed[stream] == .noError && peer.session.openStreams == 0)
        }
    }

    @Test(
        "A server that has answered before the request ends resets the stream without an error",
        arguments: 0..<3)
    func earlyAnswer(end: Int) throws {
        var peer = try RawPeer()
        let stream = HTTP2StreamID(rawValue: 1)
        peer.send([.headers(1, requestBlock(), ends: false)])
        if end == 1 { peer.events.bodies[stream] = .init([1]) }
        if end == 2 { peer.events.bodies[stream] = .init([1], end: .endWithTrailers(okTrailers)) }
        peer.session.headers(okHeaders, on: stream, endsStream: end == 0)
        let frames = peer.frames()
        #expect(frames.map(\.type) == [[1, 3], [1, 0, 3], [1, 0, 1, 3]][end])
        #expect(frames.last?.code == .noError)
        #expect(peer.session.openStreams == 0 && peer.session.counters.ownResets == 1)
        #expect(peer.answer(to: RawFrame.data(1, [1, 2], ends: true).bytes) == .ignored)
    }

    @Test("A body that waits goes on after resumeData")
    func wait() throws {
        let pair = try HTTP2Pair()
        let stream = try pair.client.request(requestHeaders, endsStream: false)
        try pair.exchange()
        #expect(pair.serverEvents.received[stream] == nil && !pair.client.wantsSend)
        pair.clientEvents.bodies[stream] = .init([1, 2, 3], end: nil)
        pair.client.resumeData(on: stream)
        try pair.exchange()
        pair.clientEvents.bodies[stream] = .init([4])
        pair.client.resumeData(on: stream)
        pair.client.resumeData(on: stream)
        try pair.exchange()
        #expect(pair.serverEvents.received[stream] == [1, 2, 3, 4])
        #expect(pair.serverEvents.events.last == "end of \(stream)")
    }

    @Test("User data belongs to a stream until it has closed, and is there before it is open")
    func userData() throws {
        let pair = try HTTP2Pair()
        pair.echo()
        let stream = try pair.client.request(requestHeaders, endsStream: true, userData: 7)
        let other = try pair.client.request(requestHeaders, endsStream: false)
        pair.client.setUserData(-8, of: other)
        pair.serverEvents.onHeaders = { [unowned pair] stream in
            pair.server.setUserData(Int(stream.rawValue) * 100, of: stream)
        }
        #expect(pair.client.isQueued(stream))
        var output: [UInt8] = []
        output = pair.client.output().bytes
        #expect(pair.client.userData(of: stream) == 7 && pair.client.userData(of: other) == -8)
        try pair.server.receive(output)
        #expect(pair.server.userData(of: other) == 300)
        pair.server.reset(other, .cancel)
        #expect(pair.server.userData(of: other) == 300)
        try pair.exchange()
        #expect(pair.client.userData(of: stream) == 0 && !pair.client.isOpen(stream))
        #expect(pair.clientEvents.closed == [stream: .noError, other: .cancel])
    }

    @Test("What is submitted for a stream that has ended does nothing")
    func ended() throws {
        var peer = try RawPeer()
        let stream = HTTP2StreamID(rawValue: 1)
        peer.send([.headers(1, requestBlock(), ends: false), .reset(1)])
        peer.session.headers(okHeaders, on: stream, endsStream: true)
        peer.session.resumeData(on: stream)
        peer.session.reset(stream, .cancel)
        peer.session.setUserData(1, of: stream)
        peer.session.consumed(1, on: HTTP2StreamID(rawValue: 99))
        #expect(peer.frames().isEmpty && peer.session.userData(of: stream) == 0)
    }

    @Test("Requests wait for the peer's limit on streams; above queuedRequests they are refused")
    func queue() throws {
        var limits = HTTP2Configuration()
        limits.concurrentStreams = 2
        var few = HTTP2Configuration()
        few.queuedRequests = 2
        let pair = try HTTP2Pair(client: few, server: limits)
        try pair.exchange()
        #expect(pair.client.peerConcurrentStreams == 2)
        let streams = try (0..<2).map { _ in
            try pair.client.request(requestHeaders, endsStream: true)
        }
        try pair.exchange()
        let waiting = try (0..<2).map { _ in
            try pair.client.request(requestHeaders, endsStream: true)
        }
        #expect(throws: HTTP2Error.tooManyRequests) {
            _ = try pair.client.request(requestHeaders, endsStream: true)
        }
        try pair.exchange()
        #expect(pair.client.openStreams == 2 && waiting.allSatisfy { pair.client.isQueued($0) })

        // One is taken back, one is sent when there is room.
        pair.client.reset(waiting[0], .cancel)
        pair.client.reset(waiting[0], .cancel)
        pair.server.headers(okHeaders, on: streams[0], endsStream: true)
        pair.server.headers(okHeaders, on: streams[1], endsStream: true)
        try pair.exchange()
        #expect(pair.clientEvents.closed[waiting[0]] == .cancel)
        #expect(!pair.serverEvents.events.contains("headers of \(waiting[0])"))
        #expect(pair.client.openStreams == 1 && pair.server.openStreams == 1)
        #expect(pair.server.isOpen(waiting[1]))
    }

    @Test("PING is answered, and the answer has its payload")
    func ping() throws {
        let pair = try HTTP2Pair()
        pair.client.ping(0x0102_0304_0506_0708)
        try pair.exchange()
        #expect(pair.clientEvents.events.contains("ping \(0x0102_0304_0506_0708)"))
        #expect(pair.serverEvents.events.contains("ping"))
    }

    @Test("A drain: a notice, then GOAWAY; what runs ends, what comes later is not processed")
    func drain() throws {
        let pair = try HTTP2Pair()
        pair.echo()
        let first = try pair.client.request(requestHeaders, endsStream: false)
        try pair.exchange()
        pair.server.goAway(last: nil, .noError)
        let crossing = try pair.client.request(requestHeaders, endsStream: true)
        try pair.exchange()
        #expect(pair.clientEvents.closed[crossing] == .noError)
        #expect(pair.clientEvents.events.contains("going away after 2147483647: NO_ERROR"))
        #expect(throws: HTTP2Error.goingAway) {
            _ = try pair.client.request(requestHeaders, endsStream: true)
        }
        pair.server.goAway(last: pair.server.lastPeerStream, .noError, "bye")
        try pair.exchange()
        #expect(pair.clientEvents.events.last == "going away after 3: NO_ERROR, bye")
        #expect(!pair.client.isOver && !pair.server.isOver)
        pair.clientEvents.bodies[first] = .init([9])
        pair.client.resumeData(on: first)
        try pair.exchange()
        #expect(pair.clientEvents.received[first] == [9])
        #expect(pair.client.isOver && pair.server.isOver)
        #expect(pair.client.failure == nil && pair.server.failure == nil)
    }

    @Test("The last stream of GOAWAY never grows, also while one waits to be sent")
    func goAwayTwice() throws {
        var peer = try RawPeer()
        peer.session.goAway(last: peer.session.lastPeerStream, .noError)
        peer.send([.headers(1, requestBlock()), .headers(3, requestBlock())])
        peer.session.goAway(last: nil, .noError)
        peer.session.goAway(last: HTTP2StreamID(rawValue: 3), .noError, "again")
        #expect(
            peer.frames().filter { $0.type == 7 }.map { Array($0.payload.prefix(4)) }
                == [[0, 0, 0, 0], [0, 0, 0, 0]])
        #expect(peer.session.isOver)
    }

    @Test("Streams above GOAWAY's last one close as refused, and so do requests that wait")
    func refused() throws {
        var peer = try RawPeer(role: .client)
        peer.send([.settings([(3, 2)])])
        let streams = try (0..<3).map { _ in
            try peer.session.request(requestHeaders, endsStream: true)
        }
        _ = peer.frames()
        #expect(peer.session.isQueued(streams[2]))
        peer.send([.goAway(1)])
        #expect(peer.events.closed == [streams[1]: .refusedStream])
        _ = peer.frames()
        #expect(peer.events.closed[streams[2]] == .refusedStream && !peer.session.isOver)
        peer.send([.headers(1, literal(":status", "200"))])
        #expect(peer.session.isOver && peer.session.openStreams == 0)
    }

    @Test("GOAWAY with an error ends the session when it has been sent")
    func goAwayWithError() throws {
        let pair = try HTTP2Pair()
        _ = try pair.client.request(requestHeaders, endsStream: true)
        try pair.exchange()
        pair.server.goAway(
            last: pair.server.lastPeerStream, .enhanceYourCalm, "too_many_pings")
        try pair.exchange()
        #expect(pair.server.isOver && pair.server.failure == nil)
        #expect(
            pair.clientEvents.events.last == "going away after 1: ENHANCE_YOUR_CALM, too_many_pings"
        )
    }

    @Test("After an error nothing more is taken or sent")
    func afterError() throws {
        var peer = try RawPeer()
        peer.send([.headers(1, requestBlock()), .data(0, [1])])
        #expect(peer.frames().last?.code == .protocolError)
        #expect(peer.session.failure?.code == .protocolError)
        #expect(peer.session.counters.connectionErrors == 1)
        peer.events.removeEvents()
        #expect(throws: HTTP2Error.self) { try peer.session.receive(RawFrame.ping().bytes) }
        peer.session.headers(okHeaders, on: HTTP2StreamID(rawValue: 1), endsStream: true)
        peer.session.ping(1)
        #expect(peer.frames().isEmpty && peer.events.events.isEmpty && !peer.session.wantsSend)
    }

    @Test("A client that is refused a stream may send it again: the code says so")
    func refusedStream() throws {
        var peer = try RawPeer(role: .client)
        let stream = try peer.session.request(requestHeaders, endsStream: true)
        _ = peer.frames()
        peer.send([.reset(1, .refusedStream)])
        #expect(peer.events.closed[stream] == .refusedStream)
    }
}
