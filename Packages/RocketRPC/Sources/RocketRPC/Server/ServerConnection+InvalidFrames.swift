import RocketBase
import RocketCodec
import RocketTCP

// Frames that break a rule, that are only too long, or that begin no call.

extension ServerConnection {
    /// Handles a name that is not in the table: cancels a call, takes a frame of a stream, or
    /// refuses a call.
    func unknownMethod(_ name: RawSpan, _ frame: TinyPBFrame, _ bytes: RawSpan) {
        let messageID = bytes.extracting(frame.messageID)
        if CancelFrame.isCancel(name) { return cancel(messageID) }
        if let kind = StreamFrame(name) { return receivedStreamFrame(kind, frame, bytes) }
        let failure = refused(
            .unknownMethod, dispatcher.table.failure(for: String(decodingUTF8: name)))
        refuse(frame, bytes, failure, of: nil)
    }

    /// Counts a call that is refused.
    func refused(_ reason: RefusalReason, _ error: RPCError) -> RPCError {
        dispatcher.counters.refused(reason)
        return error
    }

    /// Cancels a call and its handler's task on behalf of the caller. No reply is sent.
    private func cancel(_ messageID: RawSpan) {
        guard let task = suspended.find(messageID.copied) else {
            // Usually the call has finished meanwhile.
            dispatcher.counters.cancelledUnknown()
            return
        }
        dispatcher.counters.cancelled()
        task.cancelCall()
    }

    /// Handles a frame that breaks a rule: refuses and skips it if it is only too long, else leaves
    /// the connection to `closeBroken`.
    ///
    /// - Returns: the bytes to consume, 0 if more are needed; nil if the connection is broken.
    func invalidFrame(_ bytes: RawSpan, _ error: FrameError) -> Int? {
        if error.rule == .frameLength {
            switch try? codec.oversized(bytes) {
            case .needMore: return 0
            case .frame(let frame, _):
                guard let byteCount = refuseOversized(frame, bytes) else { return 0 }
                if fault != nil { return nil }
                if frame.isSkippable { return byteCount }
            case nil: break
            }
        }
        if let id = error.messageID {
            refuse(bytes.extracting(id), RawSpan(), RPCError(.failedDecode, error.description))
        }
        foreign = ForeignProtocol(ofClient: bytes, error)
        fault = error
        isOutOfFrame = true
        return nil
    }

    /// - Returns: the bytes of the frame that have arrived; nil if more are needed.
    private func refuseOversized(_ frame: OversizedFrame, _ bytes: RawSpan) -> Int? {
        let error = RPCError(
            .resourceExhausted,
            "the request's frame has \(frame.byteCount) bytes; \(codec.maxFrameBytes) are allowed")
        switch streams == nil ? .other : OversizedData.inspect(frame, bytes) {
        case .needMore: return nil
        case .data(let data):
            do throws(FrameError) {
                try streams?.receivedUnreadable(data, error)
            } catch {
                fault = error
                isOutOfFrame = true
                return 0
            }
        case .other:
            dispatcher.counters.refused(.requestSize)
            let id = bytes.extracting(frame.messageID)
            metrics?.refused(nil, error, id, RawSpan(), on: self)
            refuse(id, RawSpan(), error)
        }
        bytesToSkip = max(0, frame.byteCount - bytes.byteCount)
        isOutOfFrame = bytesToSkip > 0
        return min(frame.byteCount, bytes.byteCount)
    }

    /// Drops the rest of an oversized frame from the front of the input.
    ///
    /// - Returns: whether the input begins with a frame now.
    func skip(_ input: inout ByteBuffer) -> Bool {
        if fault != nil { return false }
        let count = min(bytesToSkip, input.readableBytes)
        input.consume(count)
        bytesToSkip -= count
        isOutOfFrame = bytesToSkip > 0
        if isOutOfFrame, ending.hasBegun { endIfDone() }
        return !isOutOfFrame
    }

    func closeBroken() {
        guard let error = fault else { return }
        dispatcher.counters.brokenStream()
        // The line belongs to no call.
        CallContext.$current.withValue(nil) {
            let logger = dispatcher.logger.throttled(.error, "bad frame")
            logger?.error("bad frame, connection closed") {
                $0.add("peer", peers.peerText)
                $0.add("rule", error.rule.rawValue)
                $0.add("offset", error.offset)
                $0.add("detail", error.description)
                if let foreign { $0.add("hint", foreign.clientHint) }
            }
        }
        transport?.close(.afterFlush, reason: .rejected("bad frame"))
    }
}
