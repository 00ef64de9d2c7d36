import RocketBase
import RocketHTTP2
import RocketHTTP2TestKit
import Testing

@Suite struct HTTP2ValueTests {
    @Test("Headers are sent as they were added, and can be used again")
    func headers() throws {
        var headers = HTTP2Headers()
        for round in 0..<3 {
            headers.removeAll()
            #expect(headers.count == 0 && headers.listBytes == 0)
            headers.add(":status", "200")
            headers.add("round", "\(round)")
            headers.add("authorization", "secret", isSensitive: true)
            headers.add("empty", "")
            #expect(headers.count == 4)
            #expect(headers.listBytes == 4 * 32 + ":status200round0authorizationsecretempty".count)
            var peer = try RawPeer()
            peer.send([.headers(1, requestBlock())])
            peer.session.headers(headers, on: HTTP2StreamID(rawValue: 1), endsStream: true)
            let client = try RawPeer(role: .client)
            _ = try client.session.request(requestHeaders, endsStream: true)
            _ = client.session.frames()
            try client.session.receive(peer.frames().flatMap(\.bytes))
            #expect(
                client.events.events.dropFirst().prefix(4) == [
                    ":status: 200", "round: \(round)", "authorization: secret", "empty: ",
                ])
        }
    }

    @Test("More fields than fit on the stack arrive, too")
    func manyFields() throws {
        let pair = try HTTP2Pair()
        var headers = requestHeaders
        for number in 0..<200 { headers.add("n\(number)", "\(number)") }
        _ = try pair.client.request(headers, endsStream: true)
        try pair.exchange()
        #expect(pair.serverEvents.events.contains("n199: 199"))
    }

    @Test(
        "Names are tokens in lower case; values have no control characters",
        arguments: [
            ("a-b_c.1", true, true), ("", false, true), ("A", false, true), ("a b", false, true),
            ("a:b", false, true), ("a\n", false, false), ("a\0b", false, false),
            (" a", false, false), ("a\t", false, false), ("a\tb", false, true),
            ("ü", false, true),
        ])
    func valid(_ text: String, isName: Bool, isValue: Bool) {
        var buffer = ByteBuffer()
        buffer.append(utf8: text)
        #expect(buffer.withBytes { HTTP2Headers.isName($0) } == isName)
        #expect(buffer.withBytes { HTTP2Headers.isValue($0) } == isValue)
    }

    @Test("Errors say what has happened, and which code is sent")
    func errors() {
        #expect("\(HTTP2ErrorCode(rawValue: 99))" == "error 99")
        #expect("\(HTTP2Error.flood(.resets))" == "ENHANCE_YOUR_CALM: too many resets")
        #expect("\(HTTP2Error.connection(.streamClosed, ""))" == "STREAM_CLOSED")
        #expect("\(HTTP2Error.connection(.protocolError, "x"))" == "PROTOCOL_ERROR: x")
        #expect(HTTP2Error.goingAway.code == .refusedStream)
        #expect(HTTP2Error.outOfMemory.code == .internalError)
    }

    @Test("Counters add up")
    func counters() {
        var one = HTTP2Counters()
        one.frames = 2
        one.floods = 1
        var all = one
        all += one
        #expect(all.frames == 4 && all.floods == 2 && all.pings == 0)
    }

    @Test("A configuration out of its ranges is taken as the nearest one that is in them")
    func ranges() throws {
        var wrong = HTTP2Configuration()
        wrong.concurrentStreams = -1
        wrong.streamWindowBytes = .max
        wrong.connectionWindowBytes = 1
        wrong.frameBytes = .max
        wrong.headerTableBytes = -5
        wrong.unsentAnswers = 0
        wrong.queuedRequests = -1
        wrong.controlFrames = HTTP2Rate(burst: -1, perSecond: -1)
        let pair = try HTTP2Pair(client: wrong, server: wrong)
        _ = try pair.client.request(requestHeaders, endsStream: true)
        #expect(!pair.client.output().bytes.isEmpty && !pair.server.output().bytes.isEmpty)
    }
}
