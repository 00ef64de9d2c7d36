import RocketBase
import RocketCodec

/// The replies of calls that are refused under overload, prepared but for their msg_ids: one per
/// method and reason, written when it is needed for the first time. A value, of one loop.
struct RefusalFrames: ~Copyable {
    private let codec: TinyPBCodec
    private var bytes = ByteBuffer()
    /// The offset and the length of each ending in `bytes`; a length of 0: it is not written yet.
    private var places: [(offset: Int, count: Int)]

    /// - Parameter methods: how many there are.
    init(codec: TinyPBCodec, methods: Int) {
        self.codec = codec
        places = Array(repeating: (0, 0), count: methods * OverloadRefusal.allCases.count)
    }

    /// Appends the reply of a call.
    mutating func append(
        _ refusal: OverloadRefusal, of method: _MethodEntry, _ messageID: RawSpan,
        to output: inout ByteBuffer
    ) {
        let index = method.index * OverloadRefusal.allCases.count + refusal.rawValue
        if places[index].count == 0 { prepare(index, refusal, method) }
        let (offset, count) = places[index]
        let isWritten = bytes.withBytes {
            codec.append(
                messageID: messageID, ending: $0.extracting(offset..<(offset + count)),
                to: &output)
        }
        if isWritten { return }
        // The request had the same id and name, so a frame without a text is no larger.
        method.withName { name in
            let start = codec.begin(
                messageID: messageID, methodName: name, errorCode: refusal.error.code.rawValue,
                in: &output)
            try? codec.finish(start, in: &output)
        }
    }

    private mutating func prepare(
        _ index: Int, _ refusal: OverloadRefusal, _ method: _MethodEntry
    ) {
        let error = refusal.error
        let offset = bytes.readableBytes
        let text = [UInt8](error.message.utf8)
        method.withName { name in
            codec.appendEnding(
                methodName: name, errorCode: error.code.rawValue,
                // SAFETY: the array lives, unchanged, until appendEnding returns.
                errorInfo: unsafe text.span.bytes, to: &bytes)
        }
        places[index] = (offset, bytes.readableBytes - offset)
    }
}

extension ServerConnection {
    /// Refuses a call under overload: cheaper than other refusals, since it is one of many.
    @inline(never)
    func refuse(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ method: _MethodEntry,
        _ refusal: OverloadRefusal, over transport: any Transport, _ admission: AdmissionControl
    ) {
        let messageID = bytes.extracting(frame.messageID)
        metrics?.refused(
            method, refusal.error, messageID, bytes.extracting(frame.errorInfo), on: self)
        dispatcher.overload.counters.refused(refusal)
        if dispatcher.logger.isEnabled(.debug) {
            return method.withName { refuse(messageID, $0, refusal.error) }
        }
        load?.ended(refusal.error.code)
        send(over: transport) {
            admission.appendReply(refusal, of: method, messageID, codec, to: &$0)
        }
    }
}
