import RocketBase
import RocketCodec
import RocketSystem

// Taking calls out of the input.

extension ServerConnection {
    private enum Step {
        case nothing
        /// The frame's handler may suspend.
        case call(MethodEntry)
        /// The frame of so many bytes is dealt with.
        case done(byteCount: Int)
        /// A frame rule was broken: see `fault`.
        case broken
    }

    /// Serves the next whole frame, until its handler is done.
    ///
    /// - Returns: false when there is none.
    func serveNext(_ call: ServerCall) async -> Bool {
        switch takeNext(call) {
        case .call(let method):
            if case .awaited(let serve) = method.handler { await serve(call) }
            returned()
            return true
        case .done: return true
        case .nothing, .broken: return false
        }
    }

    /// Deals with the next whole frame where that takes no waiting; a call that may wait has been
    /// begun and counts as in flight until `returned`.
    private func takeNext(_ call: ServerCall) -> Step {
        guard let link, !isBroken else { return .nothing }
        let step = link.withInput { input in
            let step = input.withBytes { next($0, call, mayWait: true) }
            if case .done(let byteCount) = step { input.consume(byteCount) }
            return step
        }
        switch step {
        case .nothing: closeIfDone()
        case .call: callsInFlight += 1
        case .done: break
        case .broken: breakOff()
        }
        return step
    }

    private func returned() {
        callsInFlight -= 1
        if callsInFlight == 0, isEnding { drivers?.enqueue(self) }
    }

    /// Serves whole frames up to the first whose handler may suspend. On the loop, with no task.
    ///
    /// - Returns: whether there is such a frame: the drivers take it.
    func serveSynchronous(_ input: inout ByteBuffer, _ call: ServerCall) -> Bool {
        while true {
            let isMore = CallContext.$current.withValue(call.freshContext()) {
                serveBound(&input, call)
            }
            if let isMore { return isMore }
        }
    }

    /// The same within one binding of the call's context; nil: it takes another one to go on.
    private func serveBound(_ input: inout ByteBuffer, _ call: ServerCall) -> Bool? {
        call.bindingBegan()
        while !isBroken {
            switch input.withBytes({ next($0, call, mayWait: false) }) {
            case .nothing:
                closeIfDone()
                return false
            case .call: return true
            case .done(let byteCount):
                input.consume(byteCount)
                if call.isKept { return nil }
            case .broken: breakOff()
            }
        }
        return false
    }

    /// Looks at the first frame, and deals with it where that takes no waiting.
    ///
    /// - Parameter mayWait: whether the call is to be begun where it takes some.
    private func next(_ bytes: RawSpan, _ call: ServerCall, mayWait: Bool) -> Step {
        let step: FrameStep<TinyPBFrame>
        do throws(FrameError) {
            step = try codec.step(bytes)
        } catch {
            if let id = error.messageID {
                refuse(
                    bytes.extracting(id), RawSpan(), RPCError(.failedDecode, error.description))
            }
            fault = error
            return .broken
        }
        guard case .frame(let frame, let byteCount) = step else { return .nothing }
        let name = bytes.extracting(frame.methodName)
        guard let method = dispatcher.table.lookup(name) else {
            unknown(name, bytes.extracting(frame.messageID))
            return .done(byteCount: byteCount)
        }
        if !mayWait, !method.isSynchronous { return .call(method) }
        // Where err_code is not 0, err_info is text and no metadata.
        let timeout =
            frame.errorCode == 0
            ? MetadataBlock.timeoutMilliseconds(bytes.extracting(frame.errorInfo)) : nil
        if let refusal = refusal(of: method, frame, timeout) {
            dispatcher.counters.refused()
            refuse(bytes.extracting(frame.messageID), name, refusal)
            return .done(byteCount: byteCount)
        }
        call.begin(
            frame, byteCount, bytes, method, of: self,
            deadline: CallDeadline(
                timeoutMilliseconds: timeout, own: method.limits.timeout, now: now))
        guard case .synchronous(let serve) = method.handler else { return .call(method) }
        serve(call, bytes.extracting(frame.payload))
        return .done(byteCount: byteCount)
    }

    /// A name that is no method's: a caller gives a call up, or is told what is wrong with it.
    private func unknown(_ name: RawSpan, _ messageID: RawSpan) {
        if CancelFrame.isCancel(name) { return cancel(messageID) }
        dispatcher.counters.refused()
        refuse(messageID, name, dispatcher.table.failure(for: String(decodingUTF8: name)))
    }

    /// Why a call is not served, by the server's limits and the call's own; nil where it is.
    @inline(__always)
    private func refusal(
        of method: MethodEntry, _ frame: TinyPBFrame, _ timeout: Int64?
    ) -> RPCError? {
        if !method.isAlwaysServed {
            if isDraining { return RPCError(.unavailable, "the server is draining") }
            if let refusal = dispatcher.limits.refusal(callsOnConnection: callsInFlight) {
                return refusal
            }
        }
        if frame.payload.count > method.limits.maxRequestBytes {
            return RPCError(
                .resourceExhausted,
                "the request has \(frame.payload.count) bytes; "
                    + "\(method.limits.maxRequestBytes) are allowed")
        }
        if timeout == 0 {
            return RPCError(.callTimeout, "the deadline had passed when the call arrived")
        }
        return nil
    }

    /// The caller has given a call up: its handler's task is cancelled, and nothing answered.
    private func cancel(_ messageID: RawSpan) {
        guard let driver = waiting.find(messageID.copied) else {
            // Finished meanwhile, as a rule.
            dispatcher.counters.cancelledUnknown()
            return
        }
        dispatcher.counters.cancelled()
        drivers?.cancelCall(of: driver)
    }

    private func breakOff() {
        guard let error = fault else { return }
        dispatcher.counters.brokenStream()
        dispatcher.logger.error("bad frame, connection closed") {
            $0.add("peer", peers.peerText)
            $0.add("rule", error.rule.rawValue)
            $0.add("offset", error.offset)
            $0.add("detail", error.description)
        }
        link?.close(.afterFlush, reason: .rejected("bad frame"))
    }
}
