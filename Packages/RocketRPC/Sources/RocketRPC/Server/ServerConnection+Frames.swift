import RocketBase
import RocketCodec
import RocketSystem
import Synchronization

// Taking frames from the input: framing, look-up, limits and the beginning of calls.

extension ServerConnection {
    /// The reason why `takeFrames` returned.
    enum Next {
        /// No complete frame is left.
        case nothing
        /// The output is full; `outputHasRoom` continues.
        case heldBack
        /// The first frame is a call whose handler may wait. In a task the call has begun, and
        /// counts as in flight until `handlerReturned`.
        case awaited(_MethodEntry)
        /// The same, in a task, and its request has been decoded.
        case decoded
    }

    /// What has become of a call.
    private enum Taken {
        /// It was served or refused.
        case handled
        /// It is a call whose handler may wait, and it is left in the input.
        case awaited
        /// The same, but its request has been decoded.
        case decoded
    }

    /// Takes frames from the input that is left in the transport. In a handler task.
    func takeFrames(_ context: _ServingContext) -> Next {
        var next = Next.nothing
        let now = scheduler?.now ?? dispatcher.time.monotonic()
        context.transport.readInput {
            next = takeFrames(&$0, context, now, inTask: true)
        }
        return next
    }

    /// The same behind a call of `usual`: passes the request of another one of that method to
    /// `decode`.
    func takeFrames(
        _ context: _ServingContext, _ usual: _MethodEntry, _ now: MonotonicTime,
        _ decode: (RawSpan) -> Void
    ) -> Next {
        var next = Next.nothing
        context.transport.readInput {
            next = takeFrames(&$0, context, now, inTask: true, usual: usual, decode)
        }
        return next
    }

    /// Takes complete frames from the front of the input: refuses calls, cancels calls and runs
    /// synchronous handlers, up to the first call whose handler may suspend. Processes all frames
    /// of the server.
    ///
    /// - Parameters:
    ///   - inTask: whether the caller is a handler task, which then awaits the handler. Outside of a
    ///     task, that frame stays in the input, and the caller must have bound the context of
    ///     synchronous calls.
    ///   - usual: the method of which `decode` takes the request, if it is awaited.
    @inline(__always)
    func takeFrames(
        _ input: inout ByteBuffer, _ context: _ServingContext, _ now: MonotonicTime,
        inTask: Bool, usual: _MethodEntry? = nil, _ decode: (RawSpan) -> Void = { _ in }
    ) -> Next {
        if isOutOfFrame, !skip(&input) { return .nothing }
        let admission = isAdmissionControlled ? scheduler?.admission : nil
        context.metrics?.takesCalls()
        var byteCount = 0
        let next = input.withBytes {
            takeFrames(
                $0, context, admission, now, inTask: inTask, usual: usual, decode, &byteCount)
        }
        input.consume(byteCount)
        guard case .nothing = next else { return next }
        if fault != nil {
            closeBroken()
        } else if isOutputFull || hasWaitingReplies {
            isHeldBack = true
            return .heldBack
        } else if ending.hasBegun {
            if ending.isInputEnded { streams?.inputEnded() }
            endIfDone()
        }
        return .nothing
    }

    /// Takes frames in one pass over the input, and adds their sizes to `byteCount`.
    @inline(__always)
    private func takeFrames(
        _ bytes: RawSpan, _ context: _ServingContext, _ admission: AdmissionControl?,
        _ now: MonotonicTime, inTask: Bool, usual: _MethodEntry?, _ decode: (RawSpan) -> Void,
        _ byteCount: inout Int
    ) -> Next {
        var next = nextFrame(bytes, &byteCount)
        while let first = next {
            let name = bytes.extracting(byteCount...).extracting(first.methodName)
            let isUsual = usual?.isNamed(name) ?? false
            guard let method = isUsual ? usual : context.table.find(name) else {
                unknownMethod(name, first, bytes.extracting(byteCount...))
                if fault != nil { return .nothing }
                byteCount += first.byteCount
                next = nextFrame(bytes, &byteCount)
                continue
            }
            // Most calls are of the same method as the one before them: they are not looked up.
            var frame = first
            repeat {
                switch take(
                    method, frame, bytes.extracting(byteCount...), context, admission, now,
                    inTask: inTask, decodes: isUsual, decode)
                {
                case .handled: byteCount += frame.byteCount
                case .decoded:
                    byteCount += frame.byteCount
                    return .decoded
                case .awaited: return .awaited(method)
                }
                next = nextFrame(bytes, &byteCount)
                guard let following = next else { return .nothing }
                frame = following
            } while method.isNamed(bytes.extracting(byteCount...).extracting(frame.methodName))
        }
        return .nothing
    }

    /// Returns the frame at `byteCount`, after skipping those that are only too long. Nil if it is
    /// incomplete or invalid, or while the output has no room.
    @inline(__always)
    private func nextFrame(_ bytes: RawSpan, _ byteCount: inout Int) -> TinyPBFrame? {
        while fault == nil, !isOutputFull, !hasWaitingReplies {
            let rest = bytes.extracting(byteCount...)
            do throws(FrameError) {
                guard case .frame(let frame, _) = try codec.step(rest) else { return nil }
                return frame
            } catch {
                guard let skipped = invalidFrame(rest, error), skipped > 0 else { return nil }
                byteCount += skipped
            }
        }
        return nil
    }

    @inline(__always)
    private func begin(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ method: _MethodEntry,
        _ context: _ServingContext, _ deadline: CallDeadline
    ) {
        // Two calls: the result of a conditional expression would be retained.
        if let checked = access?.takePeers() {
            context.responder.begin(
                frame, bytes, method, of: self, checked, deadline: deadline)
        } else {
            context.responder.begin(
                frame, bytes, method, of: self, context.peers, deadline: deadline)
        }
    }

    @inline(__always)
    private func run(
        _ method: _MethodEntry, _ context: _ServingContext, _ frame: TinyPBFrame, _ bytes: RawSpan,
        inTask: Bool
    ) {
        let (id, request) = (bytes.extracting(frame.messageID), bytes.extracting(frame.payload))
        if !inTask { return method.synchronous(context, method, id, request) }
        // The call follows an awaited call, and the context of synchronous calls is not valid in
        // tasks.
        CallContext.$current.withValue(context.responder.context) {
            method.synchronous(context, method, id, request)
        }
    }

    /// Serves the call in the first frame, or refuses it. One whose handler may wait begins, and
    /// only in a task.
    @inline(__always)
    private func take(
        _ method: _MethodEntry, _ frame: TinyPBFrame, _ bytes: RawSpan,
        _ context: _ServingContext, _ admission: AdmissionControl?, _ now: MonotonicTime,
        inTask: Bool, decodes: Bool, _ decode: (RawSpan) -> Void
    ) -> Taken {
        let timeout =
            frame.errorCode == 0 && !frame.errorInfo.isEmpty
            ? timeout(in: bytes.extracting(frame.errorInfo), context) : nil
        if let refusal = refusal(of: method, frame, bytes, timeout, context.limiter) {
            refuse(frame, bytes, refusal, of: method)
            return .handled
        }
        if method.settings.isChecked.load(ordering: .relaxed),
            let denial = denial(of: method, frame, bytes, now)
        {
            refuse(frame, bytes, denial, of: method)
            return .handled
        }
        // A call that begins only in a handler task is asked for there.
        if let admission, inTask || method.isSynchronous,
            let refusal = admission.refusal(
                of: method, bytes.extracting(frame.errorCode == 0 ? frame.errorInfo : 0..<0),
                timeout: timeout, on: self, isQueued: inTask || isReady)
        {
            refuse(frame, bytes, method, refusal, over: context.transport, admission)
            return .handled
        }
        if !inTask, !method.isSynchronous { return .awaited }
        let deadline = CallDeadline(
            timeoutMilliseconds: timeout, own: method.limits.timeout, now: now)
        begin(frame, bytes, method, context, deadline)
        context.metrics?.began(
            context.responder, method, frame, in: bytes, isAwaited: !method.isSynchronous,
            readAt: inTask ? waitingSince : now)
        admission?.began(context.responder)
        if !method.isSynchronous {
            callsInFlight += 1
            if !decodes { return .awaited }
            decode(bytes.extracting(frame.payload))
            return .decoded
        }
        run(method, context, frame, bytes, inTask: inTask)
        context.responder.handlerReturned()
        return .handled
    }

    /// Returns the error of a call that violates a limit or whose deadline has passed, after counting
    /// it; nil if the call is to be served.
    @inline(__always)
    private func refusal(
        of method: _MethodEntry, _ frame: TinyPBFrame, _ bytes: RawSpan, _ timeout: Int64?,
        _ limiter: ConcurrencyLimiter
    ) -> RPCError? {
        if !method.isAlwaysServed {
            if ending.isDraining { return refused(.draining, refusalWhileDraining()) }
            if let refusal = limiter.refusal(callsOnConnection: callsInFlight) {
                return refused(.callLimit, refusal)
            }
        } else if let refusal = healthRefusal(of: method, limiter) {
            return refused(.callLimit, refusal)
        }
        if frame.payload.count > method.limits.maxRequestBytes {
            return refused(
                .requestSize,
                RPCError(
                    .resourceExhausted,
                    "the request has \(frame.payload.count) bytes; "
                        + "\(method.limits.maxRequestBytes) are allowed"))
        }
        if frame.errorInfo.count > MetadataBlock.announcedLimitBytes {
            return refused(.metadataSize, PeerMetadata.tooLarge(frame.errorInfo.count))
        }
        if timeout == 0 {
            return refused(
                .deadline,
                RPCError(.callTimeout, "the deadline had passed when the call arrived"))
        }
        if method.kind != .unary {
            return streamRefusal(of: method, bytes.extracting(frame.errorInfo))
        }
        return nil
    }
}
