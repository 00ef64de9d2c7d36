import RocketBase
import RocketCodec
import RocketSystem

// Appending replies to the output.

extension ServerConnection {
    /// Sends an error in reply to a call that was not begun.
    func refuse(_ messageID: RawSpan, _ methodName: RawSpan, _ error: RPCError) {
        if let transport {
            send(over: transport) { _ = append(error, messageID, methodName, to: &$0) }
        }
        dispatcher.logger.debug("call refused") {
            $0.add("msg_id", String(decodingUTF8: messageID))
            $0.add("method", String(decodingUTF8: methodName))
            $0.add("peer", peers.peerText)
            $0.add("code", error.code.name)
        }
    }

    /// Sends the response of a call whose handler has returned, and ends the call.
    ///
    /// - Parameter payload: appends the message.
    /// - Returns: whether the generation of the call's controllers has been ended, too.
    func respond(
        _ context: ServingContext, _ method: MethodEntry,
        _ payload: (inout ByteBuffer) throws -> Void
    ) -> Bool {
        let isDone = context.storage.withState { state in
            // Without observers, metadata and the debug log the end of the call need not be
            // recorded.
            if state.isUsed || state.startedAt != nil { return false }
            // SAFETY: the array lives, unchanged, until append returns.
            _ = append(
                context.transport, unsafe state.messageID.span.bytes, RawSpan(), method, payload)
            state.finishServing()
            return true
        }
        if isDone { return true }
        let (id, metadata) = context.storage.withState { ($0.messageID, $0.replyMetadata) }
        var info = ByteBuffer()
        do {
            try MetadataBlock.write(metadata, to: &info)
        } catch {
            let error = RPCError(.resourceExhausted, "the reply's \(error)")
            send(error, id, method)
            context.responder.end(error.code)
            return false
        }
        let sent = info.withBytes { info in
            // SAFETY: the array lives, unchanged, until append returns.
            append(context.transport, unsafe id.span.bytes, info, method, payload)
        }
        context.responder.end(sent.code, responseBytes: sent.payloadBytes)
        return false
    }

    /// Returns the reply to a call whose handler threw. An error without a code becomes INTERNAL:
    /// its detail is logged and not sent.
    func failure(for error: any Error, of controller: RPCController) -> RPCError {
        switch error {
        case let error as BusinessError where error.code != 0:
            return RPCError(RPCErrorCode(rawValue: error.code), error.info)
        // Code 0 would be an empty response.
        case let error as RPCError where error.code.rawValue != 0:
            return error
        case is CancellationError where controller.isCancelled:
            return RPCError(.cancelled, "the call was given up")
        default:
            dispatcher.logger.throttled(.error, "handler failed")?.error("handler failed") {
                $0.add("error", String(describing: error))
            }
            return RPCError(.internal, "the handler failed")
        }
    }

    /// Appends an error to the output.
    func send(_ error: RPCError, _ messageID: [UInt8], _ method: MethodEntry) {
        method.withName { name in
            guard let transport else { return }
            send(over: transport) { output in
                // SAFETY: the array lives, unchanged, until append returns.
                _ = append(error, unsafe messageID.span.bytes, name, to: &output)
            }
        }
    }

    /// Encodes a response directly into the output, which is written once per tick.
    @inline(__always)
    private func append(
        _ transport: any Transport, _ messageID: RawSpan, _ info: RawSpan, _ method: MethodEntry,
        _ payload: (inout ByteBuffer) throws -> Void
    ) -> SentReply {
        method.withName { name in
            var sent = SentReply(code: .init(rawValue: 0), payloadBytes: 0)
            send(over: transport) { output in
                sent = append(messageID, info, method, name, payload, to: &output)
            }
            return sent
        }
    }

    /// Appends a response; if it can't be serialized or is too large, appends an error instead.
    @inline(__always)
    private func append(
        _ messageID: RawSpan, _ info: RawSpan, _ method: MethodEntry, _ name: RawSpan,
        _ payload: (inout ByteBuffer) throws -> Void, to output: inout ByteBuffer
    ) -> SentReply {
        let start = codec.begin(
            messageID: messageID, methodName: name, errorInfo: info, in: &output)
        let header = output.readableBytes
        func refuse(_ code: RPCErrorCode, _ reason: String) -> SentReply {
            output.truncate(to: start)
            return append(RPCError(code, reason), messageID, name, to: &output)
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
        return SentReply(code: .init(rawValue: 0), payloadBytes: payloadBytes)
    }

    /// Appends an error, without its text if the frame would be too large. A frame without text is
    /// never too large, because the request has the same id and name.
    private func append(
        _ error: RPCError, _ messageID: RawSpan, _ methodName: RawSpan, to output: inout ByteBuffer
    ) -> SentReply {
        func append(_ text: RawSpan) throws(FrameError) {
            let start = codec.begin(
                messageID: messageID, methodName: methodName, errorCode: error.code.rawValue,
                errorInfo: text, in: &output)
            try codec.finish(start, in: &output)
        }
        let text = [UInt8](error.message.utf8)
        // SAFETY: the array lives, unchanged, until append returns.
        if (try? append(unsafe text.span.bytes)) == nil { try? append(RawSpan()) }
        return SentReply(code: error.code, payloadBytes: 0)
    }
}

/// The reply that was sent.
private struct SentReply {
    /// 0 for a response.
    let code: RPCErrorCode
    let payloadBytes: Int
}

extension String {
    /// Decodes bytes that a peer sent; invalid UTF-8 becomes U+FFFD.
    init(decodingUTF8 bytes: RawSpan) {
        // SAFETY: the pointer does not escape the closure.
        self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension RawSpan {
    /// The bytes as an array.
    var copied: [UInt8] {
        // SAFETY: the pointer does not escape the closure.
        unsafe withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
