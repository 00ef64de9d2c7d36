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

    /// What has become of the first frame of the input.
    private enum Taken {
        /// It is incomplete, or invalid: see `fault`.
        case nothing
        /// A call was served or refused, or it was a cancellation.
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
        frames: while fault == nil {
            if isOutputFull || hasWaitingReplies {
                isHeldBack = true
                return .heldBack
            }
            var byteCount = 0
            var awaited: _MethodEntry?
            let taken = input.withBytes {
                takeFrame(
                    $0, context, admission, now, inTask: inTask, usual: usual, decode,
                    &byteCount, &awaited)
            }
            switch taken {
            case .handled: input.consume(byteCount)
            case .decoded:
                input.consume(byteCount)
                return .decoded
            case .awaited: if let awaited { return .awaited(awaited) }
            case .nothing: break frames
            }
        }
        if fault != nil {
            closeBroken()
        } else if ending.hasBegun {
            if ending.isInputEnded { streams?.inputEnded() }
            endIfDone()
        }
        return .nothing
    }

    @inline(__always)
    private func begin(
        _ frame: TinyPBFrame, _ byteCount: Int, _ bytes: RawSpan, _ method: _MethodEntry,
        _ context: _ServingContext, _ deadline: CallDeadline
    ) {
        // Two calls: the result of a conditional expression would be retained.
        if let checked = access?.takePeers() {
            context.responder.begin(
                frame, byteCount, bytes, method, of: self, checked, deadline: deadline)
        } else {
            context.responder.begin(
                frame, byteCount, bytes, method, of: self, context.peers, deadline: deadline)
        }
    }

    @inline(__always)
    private func run(
        _ serve: _MethodEntry.Synchronous, _ context: _ServingContext, _ method: _MethodEntry,
        _ request: RawSpan, inTask: Bool
    ) {
        if !inTask { return serve(context, method, request) }
        // The call follows an awaited call, and the context of synchronous calls is not valid in
        // tasks.
        CallContext.$current.withValue(context.responder.context) {
            serve(context, method, request)
        }
    }

    /// Takes the first frame.
    ///
    /// - Parameters:
    ///   - byteCount: set to its size.
    ///   - awaited: set to the method of a call that is left in the input.
    @inline(__always)
    private func takeFrame(
        _ bytes: RawSpan, _ context: _ServingContext, _ admission: AdmissionControl?,
        _ now: MonotonicTime, inTask: Bool, usual: _MethodEntry?,
        _ decode: (RawSpan) -> Void, _ byteCount: inout Int, _ awaited: inout _MethodEntry?
    ) -> Taken {
        let step: FrameStep<TinyPBFrame>
        do throws(FrameError) {
            step = try codec.step(bytes)
        } catch {
            byteCount = invalidFrame(bytes, error) ?? 0
            return byteCount > 0 ? .handled : .nothing
        }
        guard case .frame(let frame, let frameBytes) = step else { return .nothing }
        byteCount = frameBytes
        let name = bytes.extracting(frame.methodName)
        // Most calls are of the same method as the one before them: that is not looked up.
        if let usual, usual.withName({ sameBytes(name, $0) }) {
            let taken = take(
                usual, frame, byteCount, bytes, context, admission, now, inTask: inTask,
                decodes: true, decode)
            if taken == .awaited { awaited = usual }
            return taken
        }
        guard let method = context.table.find(name) else {
            unknownMethod(name, frame, bytes)
            return fault == nil ? .handled : .nothing
        }
        let taken = take(
            method, frame, byteCount, bytes, context, admission, now, inTask: inTask,
            decodes: false, decode)
        if taken == .awaited { awaited = method }
        return taken
    }

    /// Serves the call in the first frame, or refuses it. One whose handler may wait begins, and
    /// only in a task.
    @inline(never)
    private func take(
        _ method: _MethodEntry, _ frame: TinyPBFrame, _ byteCount: Int, _ bytes: RawSpan,
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
        begin(frame, byteCount, bytes, method, context, deadline)
        context.metrics?.began(
            context.responder, method, frame, in: bytes, isAwaited: !method.isSynchronous,
            readAt: inTask ? waitingSince : now)
        admission?.began(context.responder)
        guard case .synchronous(let serve) = method.handler else {
            callsInFlight += 1
            if !decodes { return .awaited }
            decode(bytes.extracting(frame.payload))
            return .decoded
        }
        run(serve, context, method, bytes.extracting(frame.payload), inTask: inTask)
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
