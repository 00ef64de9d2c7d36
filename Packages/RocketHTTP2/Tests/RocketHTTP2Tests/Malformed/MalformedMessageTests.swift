import RocketHTTP2
import RocketHTTP2TestKit
import Testing

/// Headers that RFC 9113 or RFC 7541 forbid, from a client to a server, and what a server must not send
/// to a client. Numbers are the sections of RFC 9113.
@Suite struct MalformedMessageTests {
    @Test(
        "A server answers wrong headers by their error, and serves on if only a stream is wrong",
        arguments: compression + fields + requests + bodies)
    func messages(_ wrong: MalformedCase) throws {
        for part in wrong.parts {
            var peer = try RawPeer()
            #expect(peer.answer(to: wrong.bytes, part: part) == wrong.answer, "parts of \(part)")
        }
    }

    @Test("A client answers a wrong frame of a server by its error", arguments: responses)
    func client(_ wrong: MalformedCase) throws {
        for part in wrong.parts {
            var peer = try RawPeer(role: .client)
            _ = try peer.session.request(requestHeaders, endsStream: true)
            _ = peer.frames()
            #expect(peer.answer(to: wrong.bytes, part: part) == wrong.answer, "parts of \(part)")
        }
    }

    static func block(_ more: [UInt8]) -> [RawFrame] { [.headers(1, requestBlock() + more)] }

    static let compression: [MalformedCase] = [
        .init("4.3: a field with index 0", block([0x80]), .goAway(.compressionError)),
        .init("4.3: a field behind the tables", block([0xBE]), .goAway(.compressionError)),
        .init(
            "4.3: a name behind the tables", block([0x7F, 0x80, 0x10, 1, 0x61]),
            .goAway(.compressionError)),
        .init("4.3: a literal that is cut", block([0, 3, 0x61]), .goAway(.compressionError)),
        .init(
            "4.3: an integer that does not end",
            block([0xFF] + Array(repeating: 0xFF, count: 12)), .goAway(.compressionError)),
        .init(
            "4.3: a table above SETTINGS_HEADER_TABLE_SIZE",
            [.headers(1, [0x3F, 0xE2, 0x1F] + requestBlock())], .goAway(.compressionError)),
        .init(
            "4.3: the size of the table changes behind a field", block([0x20]),
            .goAway(.compressionError)),
        .init(
            "4.3: Huffman's padding of 8 bits", block([0, 0x82, 0x1F, 0xFF, 0x01, 0x61]),
            .goAway(.compressionError)),
        .init(
            "4.3: Huffman's end of the text",
            block([0, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x61]), .goAway(.compressionError)),
        .init(
            "4.3: a block that is wrong in CONTINUATION",
            [
                RawFrame(type: 1, flags: 1, stream: 1, payload: requestBlock()),
                .continuation(1, [0x80]),
            ], .goAway(.compressionError)),
        .init(
            "4.3: a wrong block of a stream that is closed",
            [.headers(1, requestBlock(), ends: false), .reset(1), .headers(1, [0x80])],
            .goAway(.compressionError)),
    ]

    static func field(_ name: String, _ value: String) -> [RawFrame] { block(literal(name, value)) }
    static let wrong = Answer.reset(1, .protocolError)

    static let fields: [MalformedCase] = [
        .init("8.2.1: a name in upper case", field("Name", "value"), wrong),
        .init("8.2.1: an empty name", field("", "value"), wrong),
        .init("8.2.1: a name with a space", field("a b", "value"), wrong),
        .init("8.2.1: a name with a colon inside", field("a:b", "value"), wrong),
        .init("8.2.1: a name with a control character", field("a\u{1}", "value"), wrong),
        .init("8.2.1: a value with NUL", field("name", "a\0b"), wrong),
        .init("8.2.1: a value with CR", field("name", "a\rb"), wrong),
        .init("8.2.1: a value with LF", field("name", "a\nb"), wrong),
        .init("8.2.1: a value with a space before it", field("name", " value"), wrong),
        .init("8.2.1: a value with a tab behind it", field("name", "value\t"), wrong),
        .init("8.2.2: Connection", field("connection", "close"), wrong),
        .init("8.2.2: Keep-Alive", field("keep-alive", "1"), wrong),
        .init("8.2.2: Proxy-Connection", field("proxy-connection", "close"), wrong),
        .init("8.2.2: Transfer-Encoding", field("transfer-encoding", "chunked"), wrong),
        .init("8.2.2: Upgrade", field("upgrade", "h2c"), wrong),
        .init("8.2.2: TE other than trailers", field("te", "gzip"), wrong),
        .init("8.2.2: TE of trailers is allowed", field("te", "trailers"), .ignored),
    ]

    static func pseudo(_ fields: [(String, String)]) -> [RawFrame] {
        [.headers(1, fields.flatMap { literal($0.0, $0.1) })]
    }

    static let requests: [MalformedCase] = [
        .init("8.3: an unknown pseudo header field", field(":name", "value"), wrong),
        .init("8.3: one of a response", field(":status", "200"), wrong),
        .init(
            "8.3: one behind another field",
            pseudo([(":method", "POST"), (":scheme", "http"), ("a", "b"), (":path", "/")]), wrong),
        .init("8.3: one twice", field(":path", "/"), wrong),
        .init("8.3.1: no method", pseudo([(":scheme", "http"), (":path", "/")]), wrong),
        .init("8.3.1: no scheme", pseudo([(":method", "POST"), (":path", "/")]), wrong),
        .init("8.3.1: no path", pseudo([(":method", "POST"), (":scheme", "http")]), wrong),
        .init(
            "8.3.1: an empty path",
            pseudo([(":method", "POST"), (":scheme", "http"), (":path", "")]), wrong),
        .init(
            "8.3.1: a path without its slash",
            pseudo([(":method", "POST"), (":scheme", "http"), (":path", "p")]), wrong),
        .init(
            "8.5: CONNECT with a path",
            pseudo([(":method", "CONNECT"), (":path", "/"), (":authority", "a")]), wrong),
        .init("8.5: CONNECT without an authority", pseudo([(":method", "CONNECT")]), wrong),
    ]

    static let open = RawFrame.headers(1, requestBlock(), ends: false)
    static func sized(_ length: String) -> RawFrame {
        .headers(1, requestBlock([("content-length", length)]), ends: false)
    }

    static let bodies: [MalformedCase] = [
        .init(
            "8.1: trailers without END_STREAM",
            [open, .headers(1, literal("a", "b"), ends: false)], wrong),
        .init(
            "8.1: a pseudo header field in trailers", [open, .headers(1, literal(":path", "/"))],
            wrong),
        .init("8.1.1: content-length is no number", [sized("1x")], wrong),
        .init("8.1.1: content-length is negative", [sized("-1")], wrong),
        .init(
            "8.1.1: content-length twice",
            [.headers(1, requestBlock([("content-length", "1"), ("content-length", "2")]))], wrong),
        .init("8.1.1: less than content-length", [sized("2"), .data(1, [1], ends: true)], wrong),
        .init("8.1.1: more than content-length", [sized("2"), .data(1, [1, 2, 3])], wrong),
        .init(
            "8.1.1: less than content-length, and trailers",
            [sized("2"), .data(1, [1]), .headers(1, literal("a", "b"))], wrong),
        .init(
            "8.1.1: no body, but content-length",
            [.headers(1, requestBlock([("content-length", "1")]))], wrong),
    ]

    static let ok = literal(":status", "200")

    static let responses: [MalformedCase] = [
        .init(
            "6.6: PUSH_PROMISE, which the client has forbidden",
            [
                RawFrame(
                    type: 5, flags: 4, stream: 1, payload: bigEndian(UInt32(2)) + requestBlock())
            ],
            .goAway(.protocolError)),
        .init(
            "6.5.2: SETTINGS_ENABLE_PUSH of a server", [.settings([(2, 1)])],
            .goAway(.protocolError)),
        .init(
            "5.1: a response on a stream that is not open", [.headers(3, ok)],
            .goAway(.protocolError)),
        .init(
            "5.1.1: a stream that the server opens", [.headers(2, ok)],
            .goAway(.protocolError)),
        .init("5.1: DATA of a stream that is not open", [.data(3, [1])], .goAway(.protocolError)),
        .init("5.1: RST_STREAM of one", [.reset(3)], .goAway(.protocolError)),
        .init("8.1: DATA before the headers", [.data(1, [1])], .goAway(.protocolError)),
        .init("8.3.2: no status", [.headers(1, literal("a", "b"))], wrong),
        .init("8.3.2: a status of letters", [.headers(1, literal(":status", "abc"))], wrong),
        .init("8.3.2: a status of four digits", [.headers(1, literal(":status", "2000"))], wrong),
        .init(
            "8.3.2: a method in a response", [.headers(1, ok + literal(":method", "GET"))], wrong),
        .init(
            "8.1: an interim response that ends the stream",
            [.headers(1, literal(":status", "100"))], wrong),
        .init("8.6: status 101", [.headers(1, literal(":status", "101"), ends: false)], wrong),
        .init(
            "8.1.1: more than content-length",
            [.headers(1, ok + literal("content-length", "1"), ends: false), .data(1, [1, 2])],
            wrong),
        .init(
            "8.1: trailers without END_STREAM",
            [.headers(1, ok, ends: false), .headers(1, literal("a", "b"), ends: false)], wrong),
        .init(
            "6.8: GOAWAY after a higher stream than before", [.goAway(1), .goAway(3)],
            .goAway(.protocolError)),
        .init("6.8: GOAWAY after a stream of the server", [.goAway(2)], .goAway(.protocolError)),
        .init("6.9: WINDOW_UPDATE of 0", [.windowUpdate(0, 0)], .goAway(.protocolError)),
        .init("4.3: a field with index 0", [.headers(1, [0x80])], .goAway(.compressionError)),
        .init(
            "5.1: RST_STREAM of a request that has ended is ignored",
            [.headers(1, ok), .reset(1)], .ignored),
    ]

    @Test(
        "A client answers a server that does not begin with SETTINGS",
        arguments: [RawFrame.ping(), .settingsAcknowledged, .headers(1, ok)])
    func clientBeginning(_ first: RawFrame) throws {
        var peer = try RawPeer(role: .client, isFresh: true)
        peer.send(bytes: first.bytes)
        #expect(peer.session.frames().contains { $0.code == .protocolError })
        #expect(peer.session.isOver)
    }
}
