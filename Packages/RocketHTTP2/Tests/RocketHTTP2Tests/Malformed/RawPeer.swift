import RocketHTTP2
import RocketHTTP2TestKit
import Testing

/// What a session does with wrong bytes.
enum Answer: Equatable, Sendable, CustomStringConvertible {
    /// GOAWAY with this code, and nothing more is taken.
    case goAway(HTTP2ErrorCode)
    /// RST_STREAM with this code; the connection goes on.
    case reset(UInt32, HTTP2ErrorCode)
    /// The frame is ignored; the connection goes on.
    case ignored

    var description: String {
        switch self {
        case .goAway(let code): "GOAWAY \(code)"
        case .reset(let stream, let code): "RST_STREAM \(stream) \(code)"
        case .ignored: "ignored"
        }
    }
}

/// Bytes of a peer, and what a session must do with them.
struct MalformedCase: CustomTestStringConvertible, Sendable {
    /// What is wrong, and where RFC 9113 says so.
    let name: String
    let bytes: [UInt8]
    let answer: Answer

    init(_ name: String, _ frames: [RawFrame], _ answer: Answer) {
        self.init(name, bytes: frames.flatMap(\.bytes), answer)
    }

    init(_ name: String, bytes: [UInt8], _ answer: Answer) {
        self.name = name
        self.bytes = bytes
        self.answer = answer
    }

    var testDescription: String { name }

    /// In parts of how many bytes they are tested.
    var parts: [Int] { bytes.count < 50_000 ? [1, 10, .max] : [1_000, .max] }
}

/// A session whose peer is a test that sends bytes.
struct RawPeer {
    let session: HTTP2Session
    let events = HTTP2Recorder()
    /// What `receive` and `send` have thrown.
    private(set) var error: HTTP2Error?

    /// Makes a session that has exchanged preface and settings with the test, unless `isFresh`.
    init(
        role: HTTP2Role = .server, _ configuration: HTTP2Configuration = HTTP2Configuration(),
        isFresh: Bool = false
    ) throws {
        session = try HTTP2Session(role: role, configuration: configuration, handler: events)
        if isFresh { return }
        send([.settings()], preface: role == .server)
        _ = session.frames()
        send([.settingsAcknowledged])
        events.removeEvents()
    }

    mutating func send(_ frames: [RawFrame], preface: Bool = false) {
        send(bytes: (preface ? HTTP2Session.preface : []) + frames.flatMap(\.bytes))
    }

    mutating func send(bytes: [UInt8], part: Int = .max) {
        do throws(HTTP2Error) {
            try session.receive(bytes, part: part)
        } catch {
            self.error = error
        }
    }

    /// The frames that the session answers with, now.
    mutating func frames() -> [RawFrame] {
        let output = session.output()
        error = error ?? output.error
        return RawFrame.read(output.bytes)
    }

    /// Sends bytes, and returns what the session does with them; checks that it goes on, or does not.
    mutating func answer(to bytes: [UInt8], part: Int = .max) -> Answer? {
        send(bytes: bytes, part: part)
        let answers = frames()
        if let end = answers.first(where: { $0.type == 7 }), let code = end.code {
            return session.isOver && !session.wantsSend && error?.code == code ? .goAway(code) : nil
        }
        if session.isOver || error != nil { return nil }
        send([.ping(4_711)])
        let isAlive = frames().contains(.ping(4_711, isAnswer: true))
        if !isAlive { return nil }
        if let reset = answers.first(where: { $0.type == 3 }), let code = reset.code {
            return .reset(reset.stream, code)
        }
        return .ignored
    }
}
