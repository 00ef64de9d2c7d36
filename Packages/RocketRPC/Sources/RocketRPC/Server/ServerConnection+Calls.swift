import RocketBase
import RocketCodec
import RocketSystem

// Taking calls out of the input.

extension ServerConnection {
    /// What the first frame of the input is.
    // SAFETY: the dispatcher's table holds the method, and this connection the dispatcher.
    @safe private enum Look {
        case nothing
        /// A call to be served.
        case call(Unmanaged<MethodEntry>, TinyPBFrame, CallDeadline, byteCount: Int)
        /// It is dealt with.
        case done(byteCount: Int)
        /// A frame rule was broken: see `fault`.
        case broken
    }

    // MARK: With a task

    private enum Step {
        case nothing
        /// A call whose handler may suspend has been begun.
        case call(MethodEntry)
        case done
    }

    /// Serves the next whole frame, until its handler is done.
    ///
    /// - Returns: false when there is none.
    func serveNext(_ call: CallResponder, _ batch: ServingContext) async -> Bool {
        switch takeNext(call, batch) {
        case .call(let method):
            if case .awaited(let serve) = method.handler { await serve(call, batch, method) }
            returned()
            return true
        case .done: return true
        case .nothing: return false
        }
    }

    /// Serves whole frames, until a handler keeps the controller: true, or there is none left.
    func serveAll(_ call: CallResponder, _ batch: ServingContext) async -> Bool {
        batch.begins()
        while await serveNext(call, batch) {
            if batch.isKept { return true }
        }
        return false
    }

    /// Deals with the next whole frame where that takes no waiting; a call that may wait has been
    /// begun and counts as in flight until `returned`.
    private func takeNext(_ call: CallResponder, _ batch: ServingContext) -> Step {
        if isBroken { return .nothing }
        var step = Step.nothing
        batch.link.readInput { input in
            let (next, used) = input.withBytes { begin($0, call, batch) }
            input.consume(used)
            step = next
        }
        switch step {
        case .call: callsInFlight += 1
        case .nothing: if isBroken { breakOff() } else { closeIfDone() }
        case .done: break
        }
        return step
    }

    /// - Returns: beside the step, how many bytes of the input are dealt with.
    private func begin(
        _ bytes: RawSpan, _ call: CallResponder, _ batch: ServingContext
    ) -> (Step, Int) {
        switch look(at: bytes, batch.table, batch.limits, now) {
        case .nothing, .broken: return (.nothing, 0)
        case .done(let byteCount): return (.done, byteCount)
        case .call(let found, let frame, let deadline, let byteCount):
            let method = unsafe found.takeUnretainedValue()
            guard case .synchronous(let serve) = method.handler else {
                call.begin(frame, byteCount, bytes, method, of: self, deadline: deadline)
                return (.call(method), 0)
            }
            // It came behind one that may wait.
            batch.begin(frame, bytes, method, deadline)
            serve(batch, method, bytes.extracting(frame.payload))
            return (.done, byteCount)
        }
    }

    private func returned() {
        callsInFlight -= 1
        if callsInFlight == 0, isEnding { drivers?.enqueue(self) }
    }

    // MARK: Without

    /// Serves whole frames up to the first whose handler may suspend. On the loop, with no task.
    ///
    /// - Returns: whether there is such a frame: the drivers take it.
    func serveSynchronous(_ input: inout ByteBuffer, _ link: any Transport, _ call: CallResponder)
        -> Bool
    {
        while true {
            let isMore = CallContext.$current.withValue(call.freshContext()) {
                serve(&input, ServingContext(self, link, call))
            }
            if let isMore { return isMore }
        }
    }

    /// The same within one binding of the calls' context; nil: it takes another one to go on.
    private func serve(_ input: inout ByteBuffer, _ batch: ServingContext) -> Bool? {
        batch.begins()
        let time = now
        while !isBroken {
            var isWaiting = false
            let used = input.withBytes { bytes in
                switch look(at: bytes, batch.table, batch.limits, time) {
                case .nothing, .broken: return 0
                case .done(let byteCount): return byteCount
                case .call(let found, let frame, let deadline, let byteCount):
                    return unsafe found._withUnsafeGuaranteedRef { method in
                        guard case .synchronous(let serve) = method.handler else {
                            isWaiting = true
                            return 0
                        }
                        batch.begin(frame, bytes, method, deadline)
                        serve(batch, method, bytes.extracting(frame.payload))
                        return byteCount
                    }
                }
            }
            if isWaiting { return true }
            if used == 0 { break }
            input.consume(used)
            if batch.isKept { return nil }
        }
        if isBroken { breakOff() } else { closeIfDone() }
        return false
    }

    // MARK: Either way

    /// Looks at the first frame, and answers what is no call to be served.
    @inline(__always)
    private func look(
        at bytes: RawSpan, _ table: MethodTable, _ limits: ConcurrencyLimiter, _ now: MonotonicTime
    ) -> Look {
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
        guard let found = unsafe table.find(name) else {
            unknown(name, bytes.extracting(frame.messageID))
            return .done(byteCount: byteCount)
        }
        // Where err_code is not 0, err_info is text and no metadata.
        let timeout =
            frame.errorCode == 0
            ? MetadataBlock.timeoutMilliseconds(bytes.extracting(frame.errorInfo)) : nil
        return unsafe found._withUnsafeGuaranteedRef { method in
            if let refusal = refusal(of: method, frame, timeout, limits) {
                dispatcher.counters.refused()
                refuse(bytes.extracting(frame.messageID), name, refusal)
                return .done(byteCount: byteCount)
            }
            let deadline = CallDeadline(
                timeoutMilliseconds: timeout, own: method.limits.timeout, now: now)
            return unsafe .call(found, frame, deadline, byteCount: byteCount)
        }
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
        of method: MethodEntry, _ frame: TinyPBFrame, _ timeout: Int64?,
        _ limits: ConcurrencyLimiter
    ) -> RPCError? {
        if !method.isAlwaysServed {
            if isDraining { return RPCError(.unavailable, "the server is draining") }
            if let refusal = limits.refusal(callsOnConnection: callsInFlight) {
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
