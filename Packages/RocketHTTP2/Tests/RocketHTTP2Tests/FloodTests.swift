import RocketHTTP2
import RocketHTTP2TestKit
import RocketSystem
import Testing

private let calm = Answer.goAway(.enhanceYourCalm)

private func limits(_ change: (inout HTTP2Configuration) -> Void) -> HTTP2Configuration {
    var limits = HTTP2Configuration()
    change(&limits)
    return limits
}

/// What a peer may do at most, at each limit and above it.
@Suite struct FloodTests {
    /// Checks that `count` times are allowed, and once more is not.
    private func check(
        _ peer: inout RawPeer, _ count: Int, _ flood: HTTP2Flood,
        _ frames: (UInt32) -> [RawFrame]
    ) {
        for number in 0..<UInt32(count) {
            peer.send(frames(number))
            _ = peer.frames()
        }
        #expect(peer.error == nil && !peer.session.isOver)
        peer.send(frames(UInt32(count)))
        let end = peer.frames().last
        #expect(peer.error == .flood(flood) && end?.code == .enhanceYourCalm)
        #expect(end?.text == "too many \(flood.rawValue)")
        #expect(peer.session.isOver && peer.session.counters.floods == 1)
    }

    @Test("Rapid reset: 1,000 streams may be reset at once, one more ends the connection")
    func rapidReset() throws {
        var peer = try RawPeer()
        check(&peer, 1_000, .resets) { number in
            [.headers(2 * number + 1, requestBlock(), ends: false), .reset(2 * number + 1)]
        }
        #expect(peer.session.counters.peerResets == 1_001)
        #expect(peer.session.openStreams <= 1)
    }

    @Test("A reset without an error is one, too")
    func resetWithoutError() throws {
        var peer = try RawPeer(limits { $0.peerResets = .init(burst: 3, perSecond: 0) })
        check(&peer, 3, .resets) { number in
            [
                .headers(2 * number + 1, requestBlock(), ends: false),
                .reset(2 * number + 1, .noError),
            ]
        }
    }

    @Test("Resets return with the time, and with each stream that ends otherwise")
    func resetsReturn() throws {
        var peer = try RawPeer(limits { $0.peerResets = .init(burst: 2, perSecond: 10) })
        var stream: UInt32 = 1
        func reset() {
            peer.send([.headers(stream, requestBlock(), ends: false), .reset(stream)])
            stream += 2
        }
        for _ in 0..<2 { reset() }
        for _ in 0..<3 {
            peer.session.now = peer.session.now + .milliseconds(100)
            reset()
        }
        #expect(peer.error == nil)
        peer.send([.headers(stream, requestBlock())])
        peer.session.headers(
            okHeaders, on: HTTP2StreamID(rawValue: Int32(stream)), endsStream: true)
        _ = peer.frames()
        stream += 2
        reset()
        #expect(peer.error == nil)
        reset()
        #expect(peer.error == .flood(.resets))
    }

    @Test(
        "Made you reset: what provokes resets of ours is limited, by whatever frame",
        arguments: [
            [RawFrame.headers(1, requestBlock([("content-length", "1")]))],
            [.headers(1, requestBlock(), ends: false), .windowUpdate(1, .max >> 1)],
            [.headers(1, requestBlock() + literal("Upper", "case"))],
            [
                .headers(1, requestBlock(), ends: false),
                .headers(1, literal("a", "b"), ends: false),
            ],
        ])
    func madeYouReset(_ frames: [RawFrame]) throws {
        var peer = try RawPeer(limits { $0.provokedResets = .init(burst: 5, perSecond: 0) })
        for number in 0..<6 as Range<UInt32> {
            #expect(peer.error == nil)
            peer.send(
                frames.map { frame in
                    var frame = frame
                    frame.stream = 2 * number + 1
                    return frame
                })
            let answers = peer.frames()
            #expect(answers.contains { $0.type == 3 && $0.stream == 2 * number + 1 })
        }
        #expect(peer.error == .flood(.provokedResets) && peer.session.isOver)
        #expect(peer.session.counters.provokedResets == 6)
    }

    @Test("One SETTINGS frame that overflows the windows of many streams is one, too")
    func windowsOfAll() throws {
        var peer = try RawPeer(limits { $0.provokedResets = .init(burst: 5, perSecond: 0) })
        for number in 0..<6 as Range<UInt32> {
            let stream = 2 * number + 1
            peer.send([
                .headers(stream, requestBlock(), ends: false),
                .windowUpdate(stream, .max >> 1 - 65_535),
            ])
        }
        peer.send([.settings([(4, 65_536)])])
        #expect(peer.frames().filter { $0.type == 3 }.count == 6)
        #expect(peer.error == .flood(.provokedResets))
    }

    @Test("Our own resets are not the peer's")
    func ownResets() throws {
        var peer = try RawPeer(limits { $0.provokedResets = .init(burst: 0, perSecond: 0) })
        for number in 0..<20 as Range<UInt32> {
            peer.send([.headers(2 * number + 1, requestBlock(), ends: false)])
            peer.session.reset(HTTP2StreamID(rawValue: Int32(2 * number + 1)), .cancel)
            #expect(peer.frames().map(\.code) == [.cancel])
        }
        #expect(peer.error == nil && peer.session.counters.ownResets == 20)
        #expect(peer.session.openStreams == 0)
    }

    @Test(
        "Frames without an effect are limited, whatever they are",
        arguments: [
            RawFrame.ping(), .ping(1, isAnswer: true), .windowUpdate(0, 1), .windowUpdate(1, 1),
            .priority(1), .data(1, []), RawFrame(type: 99, payload: [1, 2, 3]), .goAway(0),
            RawFrame(type: 0x10, stream: 1, payload: bigEndian(UInt32(1))),
        ])
    func controlFrames(_ frame: RawFrame) throws {
        let limits = limits { $0.controlFrames = .init(burst: 50, perSecond: 0) }
        var peer = try RawPeer(limits)
        peer.send([.headers(1, requestBlock(), ends: false)])
        check(&peer, 50, .controlFrames) { _ in [frame] }
    }

    @Test("Frames with an effect allow more of those without one")
    func allowance() throws {
        var peer = try RawPeer(limits { $0.controlFrames = .init(burst: 5, perSecond: 0) })
        peer.send([.headers(1, requestBlock(), ends: false)])
        for _ in 0..<100 {
            peer.send([.data(1, [1]), .ping(), .windowUpdate(1, 1), .windowUpdate(0, 1), .ping()])
            _ = peer.frames()
        }
        #expect(peer.error == nil)
        check(&peer, 1, .controlFrames) { _ in [.ping()] }
    }

    @Test("Changes of settings are limited, their acknowledgements apart")
    func settings() throws {
        var peer = try RawPeer(limits { $0.settingsFrames = .init(burst: 10, perSecond: 0) })
        // The first one of the connection counts.
        check(&peer, 9, .settings) { number in [.settings([(4, 65_535 + number)])] }
    }

    @Test(
        "CONTINUATION: 8 frames of one list of headers, also of one that is ignored",
        arguments: [false, true])
    func continuations(isIgnored: Bool) throws {
        let open = RawFrame.headers(1, requestBlock(), ends: false)
        func list(_ count: Int) -> [RawFrame] {
            [
                RawFrame(
                    type: 1, flags: 1, stream: isIgnored ? 1 : 3,
                    payload: isIgnored ? [] : requestBlock())
            ]
                + (1...count).map {
                    .continuation(isIgnored ? 1 : 3, [], ends: $0 == count)
                }
        }
        for (count, expected) in [(8, Answer.ignored), (9, calm), (1_000, calm)] {
            for part in [1, .max] {
                var peer = try RawPeer()
                peer.send([open] + (isIgnored ? [.reset(1)] : []))
                let bytes = list(count).flatMap(\.bytes)
                #expect(peer.answer(to: bytes, part: part) == expected, "\(count) frames")
                #expect(peer.session.counters.continuations <= 9)
            }
        }
    }

    @Test(
        "Answers to a peer that does not read are limited",
        arguments: [RawFrame.ping(), .settings()])
    func unreadAnswers(_ frame: RawFrame) throws {
        let limits = limits {
            $0.unsentAnswers = 20
            $0.settingsFrames = .init(burst: 1_000, perSecond: 0)
        }
        var peer = try RawPeer(limits)
        _ = peer.frames()
        for _ in 0..<20 { peer.send([frame]) }
        #expect(peer.error == nil)
        peer.send([frame])
        #expect(peer.error == .flood(.unreadAnswers))
        #expect(peer.frames().last?.code == .enhanceYourCalm)
    }

    @Test("Refused streams of a peer that does not read are limited")
    func unreadRefusals() throws {
        let limits = limits {
            $0.concurrentStreams = 1
            $0.unsentAnswers = 20
        }
        var peer = try RawPeer(limits, isFresh: true)
        peer.send([.settings()], preface: true)
        var number: UInt32 = 1
        while peer.error == nil, number < 10_000 {
            peer.send([.headers(number, requestBlock())])
            number += 2
        }
        #expect(peer.error == .flood(.unreadAnswers) && number < 200)
    }

    @Test("Refused streams are limited as resets are")
    func refusals() throws {
        let limits = limits {
            $0.concurrentStreams = 1
            $0.peerResets = .init(burst: 5, perSecond: 0)
        }
        var peer = try RawPeer(limits, isFresh: true)
        peer.send([.settings(), .headers(1, requestBlock(), ends: false)], preface: true)
        _ = peer.frames()
        for number in 1...5 as ClosedRange<UInt32> {
            peer.send([.headers(2 * number + 1, requestBlock())])
            #expect(peer.frames().map(\.code) == [.refusedStream])
        }
        peer.send([.headers(13, requestBlock())])
        #expect(peer.frames().map(\.code) == [.refusedStream, .enhanceYourCalm])
        #expect(peer.error == .flood(.provokedResets))
        #expect(peer.session.counters.refusedStreams == 6)
    }

    @Test(
        "Streams: refused before the limit is acknowledged, an error of the connection afterwards")
    func streams() throws {
        let limits = limits { $0.concurrentStreams = 2 }
        var peer = try RawPeer(limits, isFresh: true)
        peer.send([.settings()] + [1, 3, 5].map { .headers($0, requestBlock()) }, preface: true)
        let answers = peer.frames()
        #expect(answers.contains(.reset(5, .refusedStream)))
        #expect(peer.session.openStreams == 2 && peer.session.counters.refusedStreams == 1)

        peer.send([.settingsAcknowledged])
        #expect(
            peer.answer(to: RawFrame.headers(7, requestBlock()).bytes) == .goAway(.protocolError))
    }
}
