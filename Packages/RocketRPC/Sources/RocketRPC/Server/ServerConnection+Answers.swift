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

    /// Answers a call with a response, and ends it.
    ///
    /// - Parameters:
    ///   - isShared: whether somebody else has the controller.
    ///   - payload: appends the message.
    func respond(
        on link: any Transport, _ controller: RPCController, isShared: Bool, _ method: MethodEntry,
        _ payload: (inout ByteBuffer) throws -> Void
    ) {
        if !isShared {
            let code = controller.withUnsharedState { state -> RPCErrorCode? in
                // Nobody can tell how it ended, but a line of the log.
                if state.isUsed || state.startedAt != nil { return nil }
                return unsafe append(
                    on: link, state.messageID.span.bytes, RawSpan(), method, payload
                ).code
            }
            if code != nil { return }
        }
        let (id, metadata) = controller.withState { ($0.messageID, $0.replyMetadata) }
        var info = ByteBuffer()
        do {
            try MetadataBlock.write(metadata, to: &info)
        } catch {
            return fail(controller, method, RPCError(.resourceExhausted, "the reply's \(error)"))
        }
        let sent = info.withBytes { info in
            // SAFETY: the array lives, unchanged, until append returns.
            unsafe append(on: link, id.span.bytes, info, method, payload)
        }
        controller.end(sent.code, responseBytes: sent.payloadBytes)
        dispatcher.endsCall(controller, sent.code)
    }

    /// Answers a call with that code and text, and ends it; its handler may still be running.
    func fail(_ controller: RPCController, _ method: MethodEntry, _ error: RPCError) {
        let id = controller.withState { $0.messageID }
        method.withName { name in
            // SAFETY: the array lives, unchanged, until send returns.
            unsafe send(error, id.span.bytes, name)
        }
        controller.end(error.code)
        dispatcher.endsCall(controller, error.code)
    }

    /// What a caller is told of an error that his handler threw. What has no code of its own is
    /// INTERNAL: its detail goes to the log and not on the wire.
    func failure(for error: any Error, of controller: RPCController) -> RPCError {
        switch error {
        case let error as BusinessError where error.code != 0:
            return RPCError(RPCErrorCode(rawValue: error.code), error.info)
        // Code 0 would be success, with nothing in it.
        case let error as RPCError where error.code.rawValue != 0:
            return error
        case is CancellationError where controller.isCancelled:
            return RPCError(.cancelled, "the call was given up")
        default:
            CallContext.$current.withValue(CallContext(controller)) {
                dispatcher.logger.error("handler failed") {
                    $0.add("error", String(describing: error))
                }
            }
            return RPCError(.internal, "the handler failed")
        }
    }

    /// Encodes a response straight into the connection's output, which is written once a tick.
    ///
    /// One that can't be serialized, or is too large, becomes an error that says so.
    @inline(__always)
    private func append(
        on link: any Transport, _ messageID: RawSpan, _ info: RawSpan, _ method: MethodEntry,
        _ payload: (inout ByteBuffer) throws -> Void
    ) -> SentAnswer {
        method.withName { name in
            var sent = SentAnswer(code: .init(rawValue: 0), payloadBytes: 0)
            link.send { output in
                sent = append(messageID, info, method, name, payload, to: &output)
            }
            return sent
        }
    }

    private func append(
        _ messageID: RawSpan, _ info: RawSpan, _ method: MethodEntry, _ name: RawSpan,
        _ payload: (inout ByteBuffer) throws -> Void, to output: inout ByteBuffer
    ) -> SentAnswer {
        let start = codec.begin(
            messageID: messageID, methodName: name, errorInfo: info, in: &output)
        let header = output.readableBytes
        func refuse(_ code: RPCErrorCode, _ reason: String) -> SentAnswer {
            output.truncate(to: start)
            return append(RPCError(code, reason), messageID, name, &output)
        }
        do {
            try payload(&output)
        } catch {
            return refuse(.failedSerialize, "the response can't be serialized: \(error)")
        }
        let payloadBytes = output.readableBytes - header
        let limit = method.limits.maxResponseBytes
        if payloadBytes > limit {
            return refuse(
                .resourceExhausted,
                "the response has \(payloadBytes) bytes; \(limit) are allowed")
        }
        do throws(FrameError) {
            try codec.finish(start, in: &output)
        } catch {
            return refuse(.failedEncode, error.description)
        }
        return SentAnswer(code: .init(rawValue: 0), payloadBytes: payloadBytes)
    }

    /// Encodes an error into the connection's output.
    func send(_ error: RPCError, _ messageID: RawSpan, _ methodName: RawSpan) {
        link?.send { _ = append(error, messageID, methodName, &$0) }
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
