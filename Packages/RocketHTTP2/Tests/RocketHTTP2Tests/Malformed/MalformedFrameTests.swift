import RocketHTTP2
import RocketHTTP2TestKit
import Testing

/// Frames that RFC 9113 forbids, from a client to a server. Numbers are its sections.
@Suite struct MalformedFrameTests {
    @Test(
        "A server answers a wrong frame by its error, and serves on if only a stream is wrong",
        arguments: layout + identifiers + states + settings + windows)
    func frames(_ wrong: MalformedCase) throws {
        for part in wrong.parts {
            var peer = try RawPeer()
            #expect(peer.answer(to: wrong.bytes, part: part) == wrong.answer, "parts of \(part)")
        }
    }

    @Test(
        "A server answers a connection that does not begin with the preface and SETTINGS",
        arguments: beginnings)
    func beginning(_ wrong: MalformedCase) throws {
        for part in wrong.parts {
            var peer = try RawPeer(isFresh: true)
            #expect(peer.answer(to: wrong.bytes, part: part) == wrong.answer, "parts of \(part)")
        }
    }

    static let beginnings = [
        MalformedCase(
            "3.4: HTTP/1.1", bytes: Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8),
            .goAway(.protocolError)),
        MalformedCase(
            "3.4: other bytes", bytes: Array(repeating: 0, count: 24), .goAway(.protocolError)),
        MalformedCase(
            "3.4: a preface with its last byte wrong",
            bytes: HTTP2Session.preface.dropLast() + [0x0B] + RawFrame.settings().bytes,
            .goAway(.protocolError)),
        MalformedCase(
            "3.4: HEADERS first",
            bytes: HTTP2Session.preface + RawFrame.headers(1, requestBlock()).bytes,
            .goAway(.protocolError)),
        MalformedCase(
            "3.4: PING first", bytes: HTTP2Session.preface + RawFrame.ping().bytes,
            .goAway(.protocolError)),
        MalformedCase(
            "3.4: an acknowledgement first",
            bytes: HTTP2Session.preface + RawFrame.settingsAcknowledged.bytes,
            .goAway(.protocolError)),
        MalformedCase(
            "3.4: a frame of an unknown type first",
            bytes: HTTP2Session.preface + RawFrame(type: 99).bytes, .goAway(.protocolError)),
    ]

    static let open = RawFrame.headers(1, requestBlock(), ends: false)

    static let layout: [MalformedCase] = [
        .init(
            "4.2: DATA above SETTINGS_MAX_FRAME_SIZE",
            [open, .data(1, Array(repeating: 0, count: 16_385))], .goAway(.frameSizeError)),
        .init(
            "4.2: HEADERS above SETTINGS_MAX_FRAME_SIZE",
            [.headers(1, Array(repeating: 0, count: 16_385))], .goAway(.frameSizeError)),
        .init(
            "4.2: a frame of an unknown type above it",
            [RawFrame(type: 99, payload: Array(repeating: 0, count: 16_385))],
            .goAway(.frameSizeError)),
        .init(
            "6.1: DATA whose padding is its payload",
            [open, RawFrame(type: 0, flags: 8, stream: 1, payload: [5, 0, 0, 0, 0])],
            .goAway(.protocolError)),
        .init(
            "6.1: padded DATA without a length of the padding",
            [open, RawFrame(type: 0, flags: 8, stream: 1)], .goAway(.protocolError)),
        .init(
            "6.2: HEADERS whose padding is longer than their payload",
            [RawFrame(type: 1, flags: 0x0D, stream: 1, payload: [200] + requestBlock())],
            .goAway(.protocolError)),
        .init(
            "6.2: padded HEADERS without a length of the padding",
            [RawFrame(type: 1, flags: 0x0D, stream: 1)], .goAway(.protocolError)),
        .init(
            "6.2: HEADERS with a priority that is too short",
            [RawFrame(type: 1, flags: 0x25, stream: 1, payload: [0, 0, 0, 0])],
            .goAway(.frameSizeError)),
        .init(
            "6.3: PRIORITY of 4 bytes",
            [RawFrame(type: 2, stream: 1, payload: [0, 0, 0, 0])], .goAway(.frameSizeError)),
        .init(
            "6.4: RST_STREAM of 3 bytes",
            [open, RawFrame(type: 3, stream: 1, payload: [0, 0, 0])], .goAway(.frameSizeError)),
        .init(
            "6.4: RST_STREAM of 5 bytes",
            [open, RawFrame(type: 3, stream: 1, payload: [0, 0, 0, 0, 0])],
            .goAway(.frameSizeError)),
        .init(
            "6.5: SETTINGS of 5 bytes",
            [RawFrame(type: 4, payload: [0, 1, 0, 0, 0])], .goAway(.frameSizeError)),
        .init(
            "6.5: an acknowledgement with a payload",
            [RawFrame(type: 4, flags: 1, payload: [0, 1, 0, 0, 0, 0])], .goAway(.frameSizeError)),
        .init(
            "6.7: PING of 7 bytes",
            [RawFrame(type: 6, payload: Array(repeating: 0, count: 7))], .goAway(.frameSizeError)),
        .init(
            "6.7: PING of 9 bytes",
            [RawFrame(type: 6, payload: Array(repeating: 0, count: 9))], .goAway(.frameSizeError)),
        .init(
            "6.8: GOAWAY of 7 bytes",
            [RawFrame(type: 7, payload: Array(repeating: 0, count: 7))], .goAway(.frameSizeError)),
        .init(
            "6.9: WINDOW_UPDATE of 3 bytes",
            [RawFrame(type: 8, payload: [0, 0, 1])], .goAway(.frameSizeError)),
        .init(
            "6.9: WINDOW_UPDATE of 5 bytes",
            [RawFrame(type: 8, payload: [0, 0, 0, 0, 1])], .goAway(.frameSizeError)),
        .init(
            "4.1: a frame of an unknown type is ignored",
            [RawFrame(type: 99, flags: 0xFF, stream: 1, payload: [1, 2, 3])], .ignored),
        .init(
            "4.1: the reserved bit of a stream is ignored",
            [RawFrame(type: 6, stream: 0x8000_0000, payload: Array(repeating: 0, count: 8))],
            .ignored),
        .init(
            "4.1: unknown flags are ignored",
            [RawFrame(type: 6, flags: 0xFE, payload: Array(repeating: 0, count: 8))], .ignored),
    ]

    static let identifiers: [MalformedCase] = [
        .init("6.1: DATA of the connection", [.data(0, [1])], .goAway(.protocolError)),
        .init(
            "6.2: HEADERS of the connection", [.headers(0, requestBlock())],
            .goAway(.protocolError)),
        .init("6.4: RST_STREAM of the connection", [.reset(0)], .goAway(.protocolError)),
        .init(
            "6.5: SETTINGS of a stream", [open, RawFrame(type: 4, stream: 1)],
            .goAway(.protocolError)),
        .init(
            "6.6: PUSH_PROMISE by a client",
            [open, RawFrame(type: 5, flags: 4, stream: 1, payload: bigEndian(UInt32(2)))],
            .goAway(.protocolError)),
        .init(
            "6.7: PING of a stream",
            [open, RawFrame(type: 6, stream: 1, payload: Array(repeating: 0, count: 8))],
            .goAway(.protocolError)),
        .init(
            "6.8: GOAWAY of a stream",
            [open, RawFrame(type: 7, stream: 1, payload: Array(repeating: 0, count: 8))],
            .goAway(.protocolError)),
        .init(
            "6.8: GOAWAY after a stream that the server cannot have opened", [.goAway(1)],
            .goAway(.protocolError)),
        .init(
            "6.8: GOAWAY after a higher stream than before", [open, .goAway(0), .goAway(2)],
            .goAway(.protocolError)),
        .init(
            "5.1.1: a client opens a stream with an even number",
            [.headers(2, requestBlock())], .goAway(.protocolError)),
        .init(
            "6.10: CONTINUATION without HEADERS", [open, .continuation(1, [])],
            .goAway(.protocolError)),
        .init(
            "6.10: CONTINUATION after END_HEADERS",
            [.headers(1, requestBlock()), .continuation(1, [])], .goAway(.protocolError)),
        .init(
            "6.10: CONTINUATION of the connection", [.continuation(0, [])],
            .goAway(.protocolError)),
        .init(
            "6.10: CONTINUATION of another stream",
            [
                RawFrame(type: 1, flags: 1, stream: 1, payload: requestBlock()),
                .continuation(3, []),
            ], .goAway(.protocolError)),
        .init(
            "6.10: PING between HEADERS and CONTINUATION",
            [RawFrame(type: 1, flags: 1, stream: 1, payload: requestBlock()), .ping()],
            .goAway(.protocolError)),
        .init(
            "6.10: HEADERS of another stream in between",
            [
                RawFrame(type: 1, flags: 1, stream: 1, payload: requestBlock()),
                .headers(3, requestBlock()),
            ], .goAway(.protocolError)),
        .init(
            "6.10: a frame of an unknown type in between",
            [
                RawFrame(type: 1, flags: 1, stream: 1, payload: requestBlock()),
                RawFrame(type: 99),
            ], .goAway(.protocolError)),
        .init(
            "5.3.1 of RFC 7540: HEADERS that depend on their own stream",
            [
                RawFrame(
                    type: 1, flags: 0x25, stream: 1,
                    payload: bigEndian(UInt32(1)) + [0] + requestBlock())
            ],
            .goAway(.protocolError)),
    ]

    static let states: [MalformedCase] = [
        .init(
            "5.1: DATA of a stream that is not open yet", [.data(1, [1])],
            .goAway(.protocolError)),
        .init("5.1: RST_STREAM of one", [.reset(1)], .goAway(.protocolError)),
        .init("5.1: WINDOW_UPDATE of one", [.windowUpdate(1, 1)], .goAway(.protocolError)),
        .init("5.1: RST_STREAM of a stream of the server", [.reset(2)], .goAway(.protocolError)),
        .init(
            "5.1: DATA after END_STREAM", [.headers(1, requestBlock()), .data(1, [1])],
            .goAway(.streamClosed)),
        .init(
            "5.1: HEADERS after END_STREAM",
            [.headers(1, requestBlock()), .headers(1, literal("a", "b"))], .goAway(.streamClosed)),
        .init(
            "5.1: DATA of a stream that the client has reset is ignored",
            [open, .reset(1), .data(1, [1])], .ignored),
        .init(
            "5.1: HEADERS of a stream that the client has reset are ignored",
            [open, .reset(1), .headers(1, literal("a", "b"))], .ignored),
        .init("5.1: RST_STREAM twice", [open, .reset(1), .reset(1)], .ignored),
        .init(
            "5.1: WINDOW_UPDATE of a closed stream", [open, .reset(1), .windowUpdate(1, 1)],
            .ignored),
        .init("6.3: PRIORITY of any stream is ignored", [.priority(1), .priority(77)], .ignored),
    ]

    static let settings: [MalformedCase] = [
        .init("6.5.2: SETTINGS_ENABLE_PUSH of 2", [.settings([(2, 2)])], .goAway(.protocolError)),
        .init(
            "6.5.2: SETTINGS_INITIAL_WINDOW_SIZE of 2³¹", [.settings([(4, 1 << 31)])],
            .goAway(.flowControlError)),
        .init(
            "6.5.2: SETTINGS_MAX_FRAME_SIZE of 16,383", [.settings([(5, 16_383)])],
            .goAway(.protocolError)),
        .init(
            "6.5.2: SETTINGS_MAX_FRAME_SIZE of 2²⁴", [.settings([(5, 1 << 24)])],
            .goAway(.protocolError)),
        .init(
            "3 of RFC 8441: SETTINGS_ENABLE_CONNECT_PROTOCOL of 2", [.settings([(8, 2)])],
            .goAway(.protocolError)),
        .init(
            "2.1 of RFC 9218: SETTINGS_NO_RFC7540_PRIORITIES of 2", [.settings([(9, 2)])],
            .goAway(.protocolError)),
        .init(
            "2.1 of RFC 9218: SETTINGS_NO_RFC7540_PRIORITIES changes", [.settings([(9, 1)])],
            .goAway(.protocolError)),
        .init(
            "6.5.3: an acknowledgement of nothing", [.settingsAcknowledged],
            .goAway(.protocolError)),
        .init("6.5.2: unknown settings are ignored", [.settings([(0xABCD, .max)])], .ignored),
        .init(
            "6.5: 32 settings in one frame",
            [.settings(Array(repeating: (4, 65_535), count: 32))], .ignored),
        .init(
            "6.5: 33 settings in one frame",
            [.settings(Array(repeating: (4, 65_535), count: 33))], .goAway(.enhanceYourCalm)),
    ]

    static let windows: [MalformedCase] = [
        .init(
            "6.9: WINDOW_UPDATE of 0 for the connection", [.windowUpdate(0, 0)],
            .goAway(.protocolError)),
        .init(
            "6.9: WINDOW_UPDATE of 0 for a stream", [open, .windowUpdate(1, 0)],
            .goAway(.protocolError)),
        .init(
            "6.9.1: a window of the connection above 2³¹ − 1",
            [.windowUpdate(0, (1 << 31) - 1)], .goAway(.flowControlError)),
        .init(
            "6.9.1: a window of the connection of 2³¹ − 1",
            [.windowUpdate(0, (1 << 31) - 1 - 65_535)], .ignored),
        .init(
            "6.9.1: a window of a stream above 2³¹ − 1",
            [open, .windowUpdate(1, (1 << 31) - 1)], .reset(1, .flowControlError)),
        .init(
            "6.9.2: settings that make the window of a stream so large",
            [open, .windowUpdate(1, (1 << 31) - 1 - 65_535), .settings([(4, 65_536)])],
            .reset(1, .flowControlError)),
        .init(
            "6.9: DATA above the window of a stream",
            [open] + Array(repeating: .data(1, Array(repeating: 0, count: 16_384)), count: 16)
                + [.data(1, [1])], .reset(1, .flowControlError)),
        .init(
            "6.9: DATA above the window of the connection",
            [
                open, .headers(3, requestBlock(), ends: false),
                .headers(5, requestBlock(), ends: false),
                .headers(7, requestBlock(), ends: false), .headers(9, requestBlock(), ends: false),
            ]
                + [1, 3, 5, 7].flatMap { stream in
                    Array(
                        repeating: .data(stream, Array(repeating: 0, count: 16_384)), count: 16)
                } + [.data(9, [1])], .goAway(.flowControlError)),
        .init(
            "6.9.1: padding counts, too",
            [open] + Array(repeating: .data(1, Array(repeating: 0, count: 16_384)), count: 15)
                + [
                    .data(1, Array(repeating: 0, count: 16_383)),
                    RawFrame(type: 0, flags: 8, stream: 1, payload: [1, 0]),
                ],
            .reset(1, .flowControlError)),
    ]
}
