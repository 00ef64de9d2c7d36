import RocketBase
import RocketCodec
import RocketSystem

// Appending replies to the output.

extension ServerConnection {
    /// Records and sends an error in reply to a call in the frame that was not begun.
    ///
    /// - Parameter method: nil for a name that is not registered.
    func refuse(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ error: RPCError, of method: _MethodEntry?
    ) {
        let id = bytes.extracting(frame.messageID)
        metrics?.refused(method, error, id, bytes.extracting(frame.errorInfo), on: self)
        refuse(id, bytes.extracting(frame.methodName), error)
    }

    /// Sends an error in reply to a call that was not begun.
    func refuse(_ messageID: RawSpan, _ methodName: RawSpan, _ error: RPCError) {
        if let transport {
            send(over: transport) { _ = append(error, messageID, methodName, to: &$0) }
        }
        if dispatcher.logger.isEnabled(.debug) { logRefusal(messageID, methodName, error) }
    }

    /// Logs a refused call with its own msg_id, method and peer: the caller may be serving another
    /// call.
    private func logRefusal(_ messageID: RawSpan, _ methodName: RawSpan, _ error: RPCError) {
        let context = CallContext(
            messageID: InlineString(bytes: messageID), method: String(decodingUTF8: methodName),
            peer: peers.peerText)
        CallContext.$current.withValue(context) {
            dispatcher.logger.debug("call refused") {
                $0.add("code", error.code.name)
                $0.add("error", error.message)
            }
        }
    }

    /// Sends the response of a call whose handler has returned, and ends the call.
    ///
    /// - Parameters:
    ///   - id: the call's msg_id, if its frame is still in the input.
    ///   - longFields: takes the long fields of the message; nil: all are copied.
    ///   - payload: appends the message.
    /// - Returns: whether the generation of the call's controllers has been ended, too.
    @inline(__always)
    func respond(
        _ context: _ServingContext, _ method: _MethodEntry, _ id: RawSpan?,
        _ longFields: LongFields?,
        _ payload: (inout ByteBuffer, LongFields?) throws -> Void
    ) -> Bool {
        // Without observers, metadata and the debug log the end of the call need not be recorded.
        if context.storage.isUsed {
            respondRecorded(context, method, longFields, payload)
            return false
        }
        var sent = SentReply(code: .init(rawValue: 0), payloadBytes: 0)
        context.storage.endGeneration()
        send(over: context.transport) { output in
            let start: Int
            if let id {
                start = begin(id, method, in: &output)
            } else {
                start = context.storage.withState { state in
                    // SAFETY: the array lives, unchanged, until begin returns.
                    begin(unsafe state.messageID.span.bytes, method, in: &output)
                }
            }
            // The message is encoded outside of the lock: its code may use the call.
            sent = finish(start, context, method, payload, in: &output, longFields)
        }
        if sent.hasLongFields { insert(longFields, into: context.transport) }
        context.metrics?.ended(
            context.responder, method, sent.code, responseBytes: sent.payloadBytes)
        return true
    }

    /// Sends the response of a call whose end has to be recorded, with its metadata.
    private func respondRecorded(
        _ context: _ServingContext, _ method: _MethodEntry, _ longFields: LongFields?,
        _ payload: (inout ByteBuffer, LongFields?) throws -> Void
    ) {
        var sent = SentReply(code: .init(rawValue: 0), payloadBytes: 0)
        let (id, metadata, trailing, compresses) = context.storage.withState {
            ($0.messageID, $0.replyMetadata, $0.trailingMetadata, $0.compressesReply)
        }
        var info = ByteBuffer()
        do {
            try writeMetadata(metadata, trailing: trailing, to: &info)
            appendLoad(to: &info)
        } catch {
            let error = RPCError(.resourceExhausted, "the reply's \(error)")
            send(error, id, method)
            if metrics != nil { context.responder.failure = error.message }
            return context.responder.end(error.code)
        }
        send(over: context.transport, compressing: compresses) { output in
            let start = info.withBytes { info in
                // SAFETY: the array lives, unchanged, until begin returns.
                begin(unsafe id.span.bytes, info, method, in: &output)
            }
            sent = finish(start, context, method, payload, in: &output, longFields)
        }
        if sent.hasLongFields { insert(longFields, into: context.transport) }
        if sent.code.rawValue == 0 { metadataSent() }
        context.responder.end(sent.code, responseBytes: sent.payloadBytes)
    }

    /// Returns the reply to a call whose handler threw. An error without a code becomes INTERNAL:
    /// its detail is logged and not sent.
    func failure(for error: any Error, of controller: RPCController) -> RPCError {
        switch error {
        case let error as BusinessError where error.code != 0:
            return RPCError(RPCErrorCode(rawValue: error.code), error.info)
        // UNAVAILABLE says that this call was not begun, so its channel may send it again. The one of
        // a call that the handler has made says so of that call.
        case let error as RPCError where error.code == .unavailable && !error.peer.isEmpty:
            return RPCError(
                .failedGetReply,
                "a call of the handler was refused by \(error.peer): \(error.message)",
                details: error.details)
        // In the same way that one says that this server ends the connection.
        case let error as RPCError where error.code == .peerClosed && !error.peer.isEmpty:
            return RPCError(.failedGetReply, error.message, details: error.details)
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
    func send(
        _ error: RPCError, _ messageID: [UInt8], _ method: _MethodEntry,
        trailing: RPCMetadata = [:]
    ) {
        method.withName { name in
            guard let transport else { return }
            send(over: transport) { output in
                // SAFETY: the array lives, unchanged, until append returns.
                _ = append(
                    error, unsafe messageID.span.bytes, name, trailing: trailing, to: &output)
            }
        }
    }

    /// Appends the start of a response without metadata.
    ///
    /// - Returns: the offset of the frame in the output.
    @inline(__always)
    private func begin(
        _ messageID: RawSpan, _ method: _MethodEntry, in output: inout ByteBuffer
    ) -> Int {
        if let load {
            return withLoad(of: load) { begin(messageID, $0, method, in: &output) }
        }
        return begin(messageID, RawSpan(), method, in: &output)
    }

    /// Appends the start of a response.
    ///
    /// - Returns: the offset of the frame in the output.
    @inline(__always)
    private func begin(
        _ messageID: RawSpan, _ info: RawSpan, _ method: _MethodEntry, in output: inout ByteBuffer
    ) -> Int {
        method.withName {
            codec.begin(messageID: messageID, methodName: $0, errorInfo: info, in: &output)
        }
    }

    /// Encodes a response directly into the output, which is written once per tick. If it can't be
    /// serialized or is too large, an error takes its place.
    @inline(__always)
    private func finish(
        _ start: Int, _ context: _ServingContext, _ method: _MethodEntry,
        _ payload: (inout ByteBuffer, LongFields?) throws -> Void,
        in output: inout ByteBuffer, _ longFields: LongFields?
    ) -> SentReply {
        let header = output.readableBytes
        var failure: RPCError
        do {
            try payload(&output, longFields)
            let longBytes = longFields?.byteCount ?? 0
            let payloadBytes = output.readableBytes - header + longBytes
            if payloadBytes <= method.limits.maxResponseBytes {
                if unsafe context.responder.isTraced, let record = unsafe context.responder.record {
                    output.withBytes { record.responded($0.extracting(header...), method) }
                }
                try codec.finish(start, in: &output, bytesElsewhere: longBytes)
                if longBytes > 0 { longFields?.frameEnds(at: output.readableBytes) }
                load?.succeeded()
                return SentReply(
                    code: .init(rawValue: 0), payloadBytes: payloadBytes,
                    hasLongFields: longBytes > 0)
            }
            failure = RPCError(
                .resourceExhausted,
                "the response has \(payloadBytes) bytes; "
                    + "\(method.limits.maxResponseBytes) are allowed")
        } catch let error as FrameError {
            failure = RPCError(.failedEncode, error.description)
        } catch {
            failure = RPCError(.failedSerialize, "the response can't be serialized: \(error)")
        }
        output.truncate(to: start)
        longFields?.removeAll()
        if metrics != nil { context.responder.failure = failure.message }
        unsafe context.responder.record?.failed(failure)
        let (id, trailing) = context.storage.withState { ($0.messageID, $0.trailingMetadata) }
        return method.withName { name in
            // SAFETY: the array lives, unchanged, until append returns.
            append(failure, unsafe id.span.bytes, name, trailing: trailing, to: &output)
        }
    }

    /// Appends an error, without its details if the frame would be too large, and without its text
    /// if it still would be. A frame without both is never too large, because the request has the
    /// same id and name.
    private func append(
        _ error: RPCError, _ messageID: RawSpan, _ methodName: RawSpan,
        trailing: RPCMetadata = [:], to output: inout ByteBuffer
    ) -> SentReply {
        func append(_ text: RawSpan, _ status: [UInt8] = []) throws(FrameError) {
            let start = codec.begin(
                messageID: messageID, methodName: methodName, errorCode: error.code.rawValue,
                errorInfo: text, in: &output)
            if !status.isEmpty { output.append(status) }
            try codec.finish(start, in: &output)
        }
        load?.ended(error.code)
        let text = [UInt8](error.message.utf8)
        let status = status(of: error, trailing: trailing)
        // SAFETY: the array lives, unchanged, until append returns.
        if !status.isEmpty, (try? append(unsafe text.span.bytes, status)) != nil {
            return SentReply(code: error.code, payloadBytes: 0)
        }
        // SAFETY: as above.
        if (try? append(unsafe text.span.bytes)) == nil { try? append(RawSpan()) }
        return SentReply(code: error.code, payloadBytes: 0)
    }
}

/// The reply that was sent.
private struct SentReply {
    /// 0 for a response.
    let code: RPCErrorCode
    let payloadBytes: Int
    var hasLongFields = false
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
