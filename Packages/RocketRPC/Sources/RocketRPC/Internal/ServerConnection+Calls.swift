import RocketBase
import RocketCodec
import RocketSystem

// Taking calls out of the input.

extension ServerConnection {
    /// A call that may be served, and where its frame lies.
    private struct Admitted {
        let method: MethodEntry
        let frame: TinyPBFrame
        let byteCount: Int
        let deadline: CallDeadline
    }

    private enum Step {
        case nothing
        /// The frame's handler may suspend.
        case call(Admitted)
        /// The frame of so many bytes is dealt with.
        case done(byteCount: Int)
        case broken(FrameError)
    }

    /// Serves the next whole frame, until its handler is done.
    ///
    /// - Returns: false when there is none.
    func serveNext(_ call: ServerCall) async -> Bool {
        guard let link, !isBroken else { return false }
        let step = link.withInput { input in
            let step = input.withBytes { bytes in
                let step = next(bytes, call)
                if case .call(let admitted) = step {
                    call.begin(
                        admitted.frame, bytes, admitted.method, of: self,
                        deadline: admitted.deadline)
                }
                return step
            }
            if case .done(let byteCount) = step { input.consume(byteCount) }
            return step
        }
        switch step {
        case .nothing:
            closeIfDone()
            return false
        case .call(let admitted):
            callsInFlight += 1
            await admitted.method.handler.serve(
                admitted.frame, byteCount: admitted.byteCount, of: call)
            callsInFlight -= 1
            if callsInFlight == 0, isEnding { drivers?.enqueue(self) }
            return true
        case .done:
            return true
        case .broken(let error):
            breakOff(error)
            return false
        }
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
            switch input.withBytes({ next($0, call) }) {
            case .nothing:
                closeIfDone()
                return false
            case .call: return true
            case .done(let byteCount):
                input.consume(byteCount)
                if call.isKept { return nil }
            case .broken(let error): breakOff(error)
            }
        }
        return false
    }

    /// Looks at the first frame, and deals with it where that takes no waiting.
    private func next(_ bytes: RawSpan, _ call: ServerCall) -> Step {
        let (frame, byteCount): (TinyPBFrame, Int)
        do throws(FrameError) {
            guard case .frame(let found, let count) = try codec.step(bytes) else {
                return .nothing
            }
            (frame, byteCount) = (found, count)
        } catch {
            if let id = error.messageID {
                refuse(
                    bytes.extracting(id), RawSpan(),
                    RPCError(.failedDecode, error.description))
            }
            return .broken(error)
        }
        guard let admitted = admit(frame, byteCount, bytes) else {
            return .done(byteCount: byteCount)
        }
        guard admitted.method.isSynchronous else { return .call(admitted) }
        call.begin(frame, bytes, admitted.method, of: self, deadline: admitted.deadline)
        admitted.method.handler.serveSynchronously(bytes.extracting(frame.payload), of: call)
        return .done(byteCount: byteCount)
    }

    /// Looks the method up and checks the limits; nil for what is refused, and answered so.
    private func admit(
        _ frame: TinyPBFrame, _ byteCount: Int, _ bytes: RawSpan
    ) -> Admitted? {
        let name = bytes.extracting(frame.methodName)
        let error: RPCError
        if let method = dispatcher.table.lookup(name) {
            // Where err_code is not 0, err_info is text and no metadata.
            let timeout =
                frame.errorCode == 0
                ? MetadataBlock.timeoutMilliseconds(bytes.extracting(frame.errorInfo)) : nil
            if let refusal = refusal(of: method) {
                error = refusal
            } else if frame.payload.count > method.limits.maxRequestBytes {
                error = RPCError(
                    .resourceExhausted,
                    "the request has \(frame.payload.count) bytes; "
                        + "\(method.limits.maxRequestBytes) are allowed")
            } else if timeout == 0 {
                error = RPCError(.callTimeout, "the deadline had passed when the call arrived")
            } else {
                let deadline = CallDeadline(
                    timeoutMilliseconds: timeout, own: method.limits.timeout, now: now)
                return Admitted(
                    method: method, frame: frame, byteCount: byteCount, deadline: deadline)
            }
        } else if CancelFrame.isCancel(name) {
            cancel(bytes.extracting(frame.messageID))
            return nil
        } else {
            error = dispatcher.table.failure(for: String(decodingUTF8: name))
        }
        dispatcher.counters.refused()
        refuse(bytes.extracting(frame.messageID), name, error)
        return nil
    }

    /// The server as a whole has no room for a call.
    private func refusal(of method: MethodEntry) -> RPCError? {
        if method.isAlwaysServed { return nil }
        if isDraining { return RPCError(.unavailable, "the server is draining") }
        return dispatcher.limits.refusal(callsOnConnection: callsInFlight)
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

    /// Takes the frame that `serve` was told of out of the input, after a look at its bytes.
    func takeFrame<Result>(
        _ byteCount: Int, _ body: (RawSpan) throws -> Result
    ) throws -> Result {
        guard let link else { throw CancellationError() }
        return try link.withInput { input in
            defer { input.consume(byteCount) }
            return try input.withBytes(body)
        }
    }

    private func breakOff(_ error: FrameError) {
        isBroken = true
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
