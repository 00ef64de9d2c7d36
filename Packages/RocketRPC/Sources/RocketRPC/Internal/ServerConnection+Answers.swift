import RocketBase
import RocketCodec
import RocketSystem

// Putting answers into the output.

extension ServerConnection {
    /// Answers a call that was never begun.
    func refuse(_ messageID: RawSpan, _ methodName: RawSpan, _ error: RPCError) {
        let info = [UInt8](error.message.utf8)
        // SAFETY: the array lives, unchanged, until send returns.
        unsafe send(messageID, methodName, error.code, info.span.bytes) { _ in }
        dispatcher.logger.debug("call refused") {
            $0.add("msg_id", String(decodingUTF8: messageID))
            $0.add("method", String(decodingUTF8: methodName))
            $0.add("peer", peers.peerText)
            $0.add("code", error.code.name)
        }
    }

    /// Encodes one answer straight into the connection's output, which is written once a tick.
    ///
    /// One that can't be serialized, or is too large, becomes an error that says so; and one whose
    /// text is too large loses it. What is left then fits, since the request with the same id and
    /// name did.
    /// - Parameter limit: the longest payload, in bytes.
    /// - Returns: what was answered: the code, and the payload's bytes.
    @discardableResult
    func send(
        _ messageID: RawSpan, _ methodName: RawSpan, _ code: RPCErrorCode, _ info: RawSpan,
        limit: Int = .max, _ payload: (inout ByteBuffer) throws -> Void
    ) -> SentAnswer {
        guard let link else { return SentAnswer(code: code, payloadBytes: 0) }
        let codec = codec
        return link.write { output in
            func begin(_ code: RPCErrorCode, _ info: RawSpan) -> Int {
                codec.begin(
                    messageID: messageID, methodName: methodName, errorCode: code.rawValue,
                    errorInfo: info, in: &output)
            }
            func finish(_ start: Int) -> FrameError? {
                do throws(FrameError) {
                    try codec.finish(start, in: &output)
                    return nil
                } catch {
                    return error
                }
            }
            func append(_ code: RPCErrorCode, _ text: String) -> SentAnswer {
                let bytes = [UInt8](text.utf8)
                // SAFETY: the array lives, unchanged, until begin returns.
                if finish(unsafe begin(code, bytes.span.bytes)) != nil {
                    _ = finish(begin(code, RawSpan()))
                }
                return SentAnswer(code: code, payloadBytes: 0)
            }
            let start = begin(code, info)
            let header = output.readableBytes
            if code.rawValue == 0 {
                do {
                    try payload(&output)
                } catch {
                    output.truncate(to: start)
                    return append(.failedSerialize, "the response can't be serialized: \(error)")
                }
            }
            let payloadBytes = output.readableBytes - header
            if payloadBytes > limit {
                output.truncate(to: start)
                return append(
                    .resourceExhausted,
                    "the response has \(payloadBytes) bytes; \(limit) are allowed")
            }
            if let error = finish(start) {
                return append(code.rawValue == 0 ? .failedEncode : code, error.description)
            }
            return SentAnswer(code: code, payloadBytes: payloadBytes)
        }
    }
}

/// What went out in answer to a call.
struct SentAnswer {
    let code: RPCErrorCode
    let payloadBytes: Int
}

extension String {
    /// Text from bytes that a peer sent; what is no UTF-8 becomes U+FFFD.
    init(decodingUTF8 bytes: RawSpan) {
        // SAFETY: the pointer does not leave the closure.
        self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension RawSpan {
    /// The bytes as an array.
    var copied: [UInt8] {
        // SAFETY: the pointer does not leave the closure.
        unsafe withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
