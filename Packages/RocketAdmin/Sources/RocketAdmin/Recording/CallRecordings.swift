import RocketBase
import RocketBinaryLog
@_spi(Recording) import RocketRPC
import RocketSystem

/// The recording of a server's calls that somebody has begun by `POST /record`: one at a time. Any
/// thread.
///
/// The server keeps recorded calls in memory until they are asked for, masks them, and writes no file. A
/// recording that nobody has asked for 10 s has ended.
final class CallRecordings: Sendable {
    private struct Running {
        let id: String
        let recorder: RPCCallRecorder
        let masking: RecordedCallMasking
        let request: RecordingRequest
        var lastAsked: MonotonicTime
        var calls: UInt64 = 0
        var bytes = 0
        /// Messages that could not be masked.
        var unmaskable = 0
    }

    /// How long a recording goes on that nobody asks for.
    static let patience = Duration.seconds(10)
    /// About the most bytes of calls in one answer.
    static let bytesPerAnswer = 2 << 20

    private let server: RPCServer?
    /// `admin/record`.
    private let isAllowed: Bool
    private let alwaysMasked: [FieldPath]
    private let time: any TimeSource
    private let logger: RocketLogger
    private let running = Locked<Running?>(nil)

    /// - Parameter alwaysMasked: fields that each recording masks.
    init(
        _ server: RPCServer?, isAllowed: Bool, alwaysMasked: [FieldPath], time: any TimeSource,
        logger: RocketLogger
    ) {
        self.server = server
        self.isAllowed = isAllowed
        self.alwaysMasked = alwaysMasked
        self.time = time
        self.logger = logger
    }

    /// Begins a recording, or continues or ends the one with that `id`.
    ///
    /// - Parameter peer: who asks, if it is known.
    func answer(
        _ fields: FormFields, of peer: PeerCredentials? = nil
    ) throws(RequestPolicy.Refusal) -> HTTPResponse {
        guard isAllowed else {
            throw RequestPolicy.Refusal(
                403, "Calls are not recorded here: set admin/record to true in the configuration.")
        }
        if let id = fields["id"] { return try next(id, stops: fields["stop"] != nil) }
        return try begin(try RecordingRequest(fields), peer)
    }

    private func begin(
        _ request: RecordingRequest, _ peer: PeerCredentials?
    ) throws(RequestPolicy.Refusal) -> HTTPResponse {
        guard let server else {
            throw RequestPolicy.Refusal(
                409, "The program has no server whose calls could be recorded.")
        }
        let masking = try masking(request, server)
        for pattern in request.methods
        where !server.methodNames.contains(where: { pattern.matches($0) }) {
            throw RequestPolicy.Refusal(400, "The server has no method \(pattern).")
        }
        var settings = RPCRecordingSettings()
        settings.methods = request.methods
        settings.callsPerSample = request.callsPerSample
        settings.maxCalls = request.maxCalls
        settings.maxMessageBytes = request.maxMessageBytes
        expire()
        guard let recorder = server.startRecording(settings) else {
            throw RequestPolicy.Refusal(
                409,
                "Calls are being recorded already, one recording at a time; or the server measures no "
                    + "calls (collectsMetrics).")
        }
        let new = Running(
            id: Self.newID(), recorder: recorder, masking: masking, request: request,
            lastAsked: time.monotonic())
        running.withLock { $0 = new }
        logger.warn("calls are recorded from now on, by the admin page") {
            $0.add("methods", request.methods.map(\.description).joined(separator: ","))
            if let peer { $0.add("uid", Int(peer.userID)) }
            $0.add("one_of", request.callsPerSample)
            $0.add("masked", masking.masker.masks.map(\.description).joined(separator: ","))
        }
        return Self.answer(new, [], ended: nil)
    }

    /// What is masked.
    private func masking(
        _ request: RecordingRequest, _ server: RPCServer
    ) throws(RequestPolicy.Refusal) -> RecordedCallMasking {
        let masks = alwaysMasked + request.masks.filter { !alwaysMasked.contains($0) }
        let layouts: MessageLayouts
        do { layouts = MessageLayouts(try server.fileDescriptors()) } catch {
            throw RequestPolicy.Refusal(409, "The server's descriptors can't be read: \(error)")
        }
        let roots = server.messageTypes
        for mask in masks
        where !layouts.contains(mask.names, isAnchored: mask.isAnchored, roots: roots) {
            let place = alwaysMasked.contains(mask) ? " (admin/record_mask)" : ""
            throw RequestPolicy.Refusal(
                400,
                "No message of the server has a field \(mask)\(place), so it would mask nothing.")
        }
        return RecordedCallMasking(
            masker: MessageMasker(layouts: layouts, masks: masks), maskedKeys: request.maskedKeys)
    }

    private func next(
        _ id: String, stops: Bool
    ) throws(RequestPolicy.Refusal) -> HTTPResponse {
        let answer: HTTPResponse? = running.withLock { running in
            guard var current = running, current.id == id else { return nil }
            current.lastAsked = time.monotonic()
            if stops { server?.stopRecording(current.recorder) }
            let (bytes, isFull) = Self.take(&current)
            let isComplete = current.recorder.isComplete
            var reason: String?
            if isFull {
                reason = "size"
            } else if bytes.isEmpty {
                // What was recorded before has been taken.
                reason = stops ? "stopped" : isComplete ? "calls" : nil
            }
            running = current
            if let reason {
                running = nil
                end(current, reason)
            }
            return Self.answer(current, bytes, ended: reason)
        }
        guard let answer else {
            throw RequestPolicy.Refusal(
                404,
                "There is no such recording: it has ended, or nobody has asked for it for 10 s.")
        }
        return answer
    }

    /// Takes calls, up to the limit of the log.
    private static func take(_ running: inout Running) -> (bytes: [UInt8], isFull: Bool) {
        var bytes: [UInt8] = []
        while bytes.count < bytesPerAnswer, let call = running.recorder.take() {
            let (logged, omitted) = running.masking.logged(call, id: running.calls + 1)
            let before = bytes.count
            logged.append(to: &bytes)
            if running.bytes + bytes.count > running.request.maxBytes {
                bytes.removeLast(bytes.count - before)
                running.bytes += bytes.count
                return (bytes, true)
            }
            running.calls += 1
            running.unmaskable += omitted
        }
        running.bytes += bytes.count
        return (bytes, false)
    }

    /// A line of JSON, then entries of the log.
    private static func answer(
        _ running: Running, _ bytes: [UInt8], ended: String?
    ) -> HTTPResponse {
        let counts = running.recorder.counts
        let line = JSON.object([
            "recording": .string(running.id), "ended": ended.map { .string($0) } ?? .null,
            "calls": .integer(Int(clamping: running.calls)), "bytes": .integer(running.bytes),
            "dropped": .integer(counts.dropped), "cancelled": .integer(counts.cancelled),
            "streams": .integer(counts.streams),
            "omitted_messages": .integer(counts.omittedMessages),
            "unmaskable_messages": .integer(running.unmaskable),
        ])
        var response = HTTPResponse(contentType: "application/octet-stream", body: "")
        response.bytes = Array(line.text.utf8) + [UInt8(ascii: "\n")] + bytes
        return response
    }

    /// Ends a recording that nobody asks for. To be called now and then.
    func expire() {
        running.withLock { running in
            guard let current = running,
                time.monotonic() - current.lastAsked > Self.patience
            else { return }
            running = nil
            end(current, "expired")
        }
    }

    /// Ends whatever runs, because the page does.
    func stop() {
        running.withLock { running in
            if let current = running { end(current, "stopped") }
            running = nil
        }
    }

    private func end(_ ended: Running, _ reason: String) {
        server?.stopRecording(ended.recorder)
        logger.info("calls are no longer recorded") {
            $0.add("reason", reason)
            $0.add("calls", Int(clamping: ended.calls))
            $0.add("bytes", ended.bytes)
            $0.add("dropped", ended.recorder.counts.dropped)
        }
    }

    /// 64 random bits: who continues a recording must know it.
    private static func newID() -> String {
        var random = SystemRandomNumberGenerator()
        return String(random.next(), radix: 36)
    }
}
