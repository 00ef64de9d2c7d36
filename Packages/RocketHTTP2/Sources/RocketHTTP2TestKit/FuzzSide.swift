import RocketBase
import RocketHTTP2
import RocketSystem

/// One side of a fuzzed connection: its session, what it sends, what it has received. Bound to one run.
final class FuzzSide: HTTP2SessionHandler {
    /// Set once, directly after `init`: the handler of a session exists before it.
    private var made: HTTP2Session?
    var session: HTTP2Session {
        guard let made else { preconditionFailure("FuzzSide: no session") }
        return made
    }
    /// Bytes on their way to the other side.
    var output: [UInt8] = []
    private(set) var sent: [HTTP2StreamID: [UInt8]] = [:]
    private(set) var received: [HTTP2StreamID: [UInt8]] = [:]
    private var streams: [HTTP2StreamID] = []
    private var closed: [HTTP2StreamID: HTTP2ErrorCode] = [:]
    private var ended: Set<HTTP2StreamID> = []
    private var bodies: [HTTP2StreamID: (bytes: ArraySlice<UInt8>, trailers: Bool)] = [:]
    private var credit: [(HTTP2StreamID, Int)] = []
    private var began = 0
    private var fault: String?
    private var hasFailed = false

    init(_ role: HTTP2Role, _ memory: HTTP2MemoryPool) throws {
        var limits = HTTP2Configuration()
        limits.concurrentStreams = 10
        limits.streamWindowBytes = 4_000
        limits.headerListBytes = 500
        limits.queuedRequests = 5
        limits.unsentAnswers = 20
        limits.controlFrames = HTTP2Rate(burst: 1_000, perSecond: 10)
        limits.settingsFrames = HTTP2Rate(burst: 20, perSecond: 1)
        limits.peerResets = HTTP2Rate(burst: 50, perSecond: 10)
        made = try HTTP2Session(role: role, configuration: limits, memory: memory, handler: self)
    }

    // MARK: Operations

    func request(body: Int, trailers: Bool) {
        let headers = HTTP2Headers([
            ":method": "POST", ":scheme": "http", ":path": "/p.S/M\(body)",
            ":authority": "localhost",
        ])
        guard let stream = try? session.request(headers, endsStream: false, userData: body) else {
            return
        }
        let bytes = (0..<body).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        bodies[stream] = (bytes[...], trailers)
        sent[stream] = bytes
        streams.append(stream)
    }

    func respond(_ number: Int) {
        guard let stream = streams.last(where: { session.isOpen($0) }) else { return }
        let bytes = Array(repeating: UInt8(number), count: number * 500)
        if bodies[stream] == nil { bodies[stream] = (bytes[...], number % 2 == 0) }
        session.headers(HTTP2Headers([":status": "200"]), on: stream, endsStream: number == 0)
    }

    func reset(_ number: Int) {
        if streams.isEmpty { return }
        session.reset(streams[number % streams.count], .cancel)
    }

    func consume() {
        for (stream, count) in credit { session.consumed(count, on: stream) }
        credit = []
    }

    func resume() { for stream in streams { session.resumeData(on: stream) } }

    func goAway(_ number: Int) {
        switch number {
        case 0..<6: session.goAway(last: nil, .noError)
        case 6..<14: session.goAway(last: session.lastPeerStream, .noError, "drain")
        default: session.goAway(last: session.lastPeerStream, .enhanceYourCalm, "calm")
        }
    }

    // MARK: Bytes

    var hasOutput: Bool { !output.isEmpty || session.wantsSend }

    func receive(_ bytes: [UInt8], _ isChanged: Bool) throws {
        do throws(HTTP2Error) {
            try session.receive(bytes)
        } catch {
            try failed(error, isChanged)
        }
        try check()
    }

    /// Adds what the session sends to the output.
    func collect(_ isChanged: Bool) throws {
        while session.wantsSend {
            var buffer = ByteBuffer()
            do throws(HTTP2Error) {
                try session.send(into: &buffer, atMost: 5_000)
            } catch {
                try failed(error, isChanged)
            }
            if buffer.readableBytes > 5_000 + 16_384 + 9 { fault = "send exceeds its limit" }
            output += buffer.copyBytes()
            if buffer.isEmpty { break }
        }
        if session.failure != nil && !session.isOver { fault = "an error without its GOAWAY" }
        try check()
    }

    private func failed(_ error: HTTP2Error, _ isChanged: Bool) throws {
        if hasFailed && session.failure != error { fault = "two errors" }
        hasFailed = true
        if case .flood = error { return }
        if !isChanged { fault = "\(error) without a change" }
    }

    func hasEnded(_ stream: HTTP2StreamID) -> Bool { ended.contains(stream) }

    func check() throws {
        if session.openStreams < 0 || session.queuedRequests < 0 { fault = "streams below 0" }
        if let fault { throw HTTP2Fuzz.Finding(description: fault) }
    }

    // MARK: Events

    func headersBegan(_ stream: HTTP2StreamID) {
        if closed[stream] != nil { fault = "headers after the end of \(stream)" }
        began += 1
        if session.role == .server, !streams.contains(stream) { streams.append(stream) }
    }

    func header(_ stream: HTTP2StreamID, name: RawSpan, value: RawSpan) {
        if name.byteCount + value.byteCount > 500 { fault = "a field above the limit" }
    }

    func headersEnded(_ stream: HTTP2StreamID, endsStream: Bool) {
        if ended.contains(stream) { fault = "headers behind the end of \(stream)" }
    }

    func data(_ stream: HTTP2StreamID, _ bytes: RawSpan) {
        if closed[stream] != nil || ended.contains(stream) { fault = "data behind the end" }
        credit.append((stream, bytes.byteCount))
        for offset in 0..<bytes.byteCount {
            received[stream, default: []].append(bytes.byte(at: offset))
        }
    }

    func inputEnded(_ stream: HTTP2StreamID) {
        if !ended.insert(stream).inserted { fault = "\(stream) ends twice" }
    }

    func nextData(
        _ stream: HTTP2StreamID, into output: inout HTTP2DataWriter
    ) -> HTTP2NextData {
        guard let body = bodies[stream] else { return .wait }
        let count = min(output.room, body.bytes.count)
        for byte in body.bytes.prefix(count) { output.append(bigEndian: byte) }
        bodies[stream]?.bytes = body.bytes.dropFirst(count)
        if count < body.bytes.count { return .wrote }
        return body.trailers ? .endWithTrailers(HTTP2Headers(["grpc-status": "0"])) : .end
    }

    func streamClosed(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        if closed.updateValue(code, forKey: stream) != nil { fault = "\(stream) closes twice" }
        bodies[stream] = nil
    }

    func goAwayReceived(last: HTTP2StreamID, _ code: HTTP2ErrorCode, text: String) {
        if text.utf8.count > 3 * 1_024 { fault = "a text of \(text.utf8.count) bytes" }
    }

    func pingReceived() {}
    func pingAcknowledged(_ payload: UInt64) {}
    func settingsReceived() {}
}
