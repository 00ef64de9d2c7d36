import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem

/// Chooses the calls of one loop that are recorded. Bound to the loop.
final class LoopCallRecorder {
    let shared: RPCCallRecorder
    private let random: LoopRandom
    /// How many calls are left until one is chosen.
    private var left: UInt64
    /// Whether calls of a method are recorded, by its index.
    private let isIncluded: [Bool]

    init(_ shared: RPCCallRecorder, methods: [_MethodEntry], random: LoopRandom) {
        self.shared = shared
        self.random = random
        isIncluded = methods.map { shared.settings.includes($0.fullName) }
        left = 0
        left = gap()
    }

    /// The number of calls to the next one that is chosen: the mean is that of the settings.
    private func gap() -> UInt64 {
        let mean = UInt64(max(1, shared.settings.callsPerSample))
        return mean == 1 ? 1 : random.next() % (2 * mean - 1) + 1
    }

    /// Begins a record of a call, if it is chosen.
    ///
    /// - Parameter request: the message.
    func record(
        _ responder: CallResponder, _ method: _MethodEntry, request: RawSpan, at now: UInt64
    ) -> CallRecord? {
        guard method.index < isIncluded.count, isIncluded[method.index] else { return nil }
        if method.kind != .unary {
            shared.countStream()
            return nil
        }
        left -= 1
        if left > 0 { return nil }
        left = gap()
        let isKept = request.byteCount <= shared.settings.maxMessageBytes
        let (peers, info) = responder.storage.withState { ($0.peers, $0.requestMetadata) }
        let bytes =
            RPCCallRecorder.bytesPerCall + (isKept ? request.byteCount : 0) + info.count
        guard shared.begin(bytes) else { return nil }
        // SAFETY of both: the array lives, unchanged, until the metadata is read.
        let block = unsafe MetadataBlock.readReply(info.span.bytes)
        let timeout = unsafe MetadataBlock.timeoutMilliseconds(info.span.bytes)
        let time = shared.wall(now)
        return CallRecord(
            RPCRecordedCall(
                method: method.fullName,
                peer: (peers ?? responder.connection.peers).peer,
                metadata: block?.metadata ?? RPCMetadata(),
                timeout: timeout.map { .milliseconds($0) },
                request: .init(
                    bytes: isKept ? request.copied : nil, length: request.byteCount,
                    type: method.requestName),
                beganAt: time, endedAt: time, requestByteCount: bytes),
            of: shared)
    }
}

/// The record of one call that has begun. Bound to its loop.
final class CallRecord {
    private var call: RPCRecordedCall
    private let recorder: RPCCallRecorder

    fileprivate init(_ call: RPCRecordedCall, of recorder: RPCCallRecorder) {
        self.call = call
        self.recorder = recorder
    }

    /// The response is in the output.
    func responded(_ message: RawSpan, _ method: _MethodEntry) {
        let isKept = message.byteCount <= recorder.settings.maxMessageBytes
        call.response = .init(
            bytes: isKept ? message.copied : nil, length: message.byteCount,
            type: method.responseName)
    }

    /// An error is the reply.
    func failed(_ error: RPCError) { call.message = error.message }

    /// The call has ended.
    func end(_ code: RPCErrorCode, _ storage: CallStorage, at now: UInt64) {
        call.code = code
        call.endedAt = recorder.wall(now)
        if code.rawValue != 0 { call.response = nil }
        (call.replyMetadata, call.trailingMetadata) = storage.withState {
            ($0.replyMetadata, $0.trailingMetadata)
        }
        let hasReply = call.response != nil || code.rawValue != 0 && !call.message.isEmpty
        recorder.end(call, isCancelled: !hasReply && (code == .cancelled || code.rawValue == 0))
    }
}
