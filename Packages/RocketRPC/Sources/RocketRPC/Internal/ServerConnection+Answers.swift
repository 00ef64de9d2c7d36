import RocketBase
import RocketCodec
import RocketSystem

// Putting answers into the output.

extension ServerConnection {
    /// Answers a call that was never begun.
    func refuse(_ messageID: RawSpan, _ methodName: RawSpan, _ error: RPCError) {
        send(error, messageID, methodName)
        dispatcher.logger.debug("call refused") {
            $0.add("msg_id", String(decodingUTF8: messageID))
            $0.add("method", String(decodingUTF8: methodName))
            $0.add("peer", peers.peerText)
            $0.add("code", error.code.name)
        }
    }

    /// Encodes a response straight into the connection's output, which is written once a tick.
    ///
    /// One that can't be serialized, or is too large, becomes an error that says so.
    /// - Parameters:
    ///   - info: metadata, or nothing.
    ///   - limit: the longest payload, in bytes.
    func respond(
        _ messageID: RawSpan, _ methodName: RawSpan, _ info: RawSpan, limit: Int,
        _ payload: (inout ByteBuffer) throws -> Void
    ) -> SentAnswer {
        guard let link else { return SentAnswer(code: .init(rawValue: 0), payloadBytes: 0) }
        return link.write { output in
            let start = codec.begin(
                messageID: messageID, methodName: methodName, errorInfo: info, in: &output)
            let header = output.readableBytes
            do {
                try payload(&output)
            } catch {
                output.truncate(to: start)
                return append(
                    RPCError(.failedSerialize, "the response can't be serialized: \(error)"),
                    messageID, methodName, &output)
            }
            let payloadBytes = output.readableBytes - header
            if payloadBytes > limit {
                output.truncate(to: start)
                return append(
                    RPCError(
                        .resourceExhausted,
                        "the response has \(payloadBytes) bytes; \(limit) are allowed"),
                    messageID, methodName, &output)
            }
            do throws(FrameError) {
                try codec.finish(start, in: &output)
            } catch {
                return append(
                    RPCError(.failedEncode, error.description), messageID, methodName, &output)
            }
            return SentAnswer(code: .init(rawValue: 0), payloadBytes: payloadBytes)
        }
    }

    /// Encodes an error into the connection's output.
    func send(_ error: RPCError, _ messageID: RawSpan, _ methodName: RawSpan) {
        link?.write { _ = append(error, messageID, methodName, &$0) }
    }

    /// With no text where the frame would be too large with it. What is left then fits, since the
    /// request with the same id and name did.
    private func append(
        _ error: RPCError, _ messageID: RawSpan, _ methodName: RawSpan, _ output: inout ByteBuffer
    ) -> SentAnswer {
        func append(_ text: RawSpan) throws(FrameError) {
            let start = codec.begin(
                messageID: messageID, methodName: methodName, errorCode: error.code.rawValue,
                errorInfo: text, in: &output)
            try codec.finish(start, in: &output)
        }
        let text = [UInt8](error.message.utf8)
        // SAFETY: the array lives, unchanged, until append returns.
        if (try? append(unsafe text.span.bytes)) == nil { try? append(RawSpan()) }
        return SentAnswer(code: error.code, payloadBytes: 0)
    }
}

/// What went out in answer to a call.
struct SentAnswer {
    /// 0: a response.
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
