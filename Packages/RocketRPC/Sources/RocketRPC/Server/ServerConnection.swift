import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// One client's connection: takes frames out of its input, and puts replies into its output.
/// Bound to its loop; without a scheduler to the task that drives it (`RPCDispatcher.answer`).
///
/// While the output is above the high water mark, no frame is taken and no call begins; replies of
/// handlers that return meanwhile wait for their turn; errors do not wait. So a peer that reads
/// slowly gets all replies that it has asked for, and the server holds for it no more than the high
/// water mark, one reply, the errors, and the responses of the calls that it had in flight.
final class ServerConnection {
    let dispatcher: RPCDispatcher
    let codec: TinyPBCodec
    let scheduler: HandlerScheduler?
    private(set) var peers = ConnectionPeers.none
    private(set) var transport: (any Transport)?
    /// Called once, when the connection is closed.
    var onClose: (() -> Void)?
    /// Calls whose handlers run now, suspended ones included.
    private var callsInFlight = 0
    /// Those of them whose handlers are suspended.
    var suspended = SuspendedCalls()
    /// The output is above its high water mark.
    private(set) var isOutputFull = false
    /// Replies that wait until the output has room, in the order in which their handlers returned.
    private var waitingReplies = RingBuffer<CallResponder>()
    /// There are some.
    private(set) var hasWaitingReplies = false
    /// It is in the scheduler's queue.
    var isReady = false
    /// Frames wait until the output has room.
    private var isHeldBack = false
    private(set) var isDraining = false
    /// The peer sends no more; its calls are still answered.
    private(set) var isInputEnded = false
    /// A frame rule that was broken: what stands in the input means nothing, and is not looked at
    /// again while the connection flushes and ends.
    private var fault: FrameError?

    init(dispatcher: RPCDispatcher, codec: TinyPBCodec, scheduler: HandlerScheduler?) {
        self.dispatcher = dispatcher
        self.codec = codec
        self.scheduler = scheduler
    }
}

// MARK: - The transport's events

extension ServerConnection: TransportHandler {
    func connected(_ transport: any Transport) {
        self.transport = transport
        peers = ConnectionPeers(local: transport.localAddress, peer: transport.peerAddress)
        scheduler?.add(self)
    }

    /// Runs synchronous handlers at once; a handler task does the rest.
    func received(_ transport: any Transport, _ input: inout ByteBuffer) {
        guard let scheduler else { return }
        if dispatcher.table.hasSynchronous {
            let context = ServingContext(self, transport, scheduler.synchronousResponder(of: self))
            let binding = context.responder.synchronousContext()
            let next = CallContext.$current.withValue(binding) {
                takeFrames(&input, context, inTask: false)
            }
            guard case .awaited = next else { return }
        }
        scheduler.enqueue(self)
    }

    func writabilityChanged(_ transport: any Transport, isWritable: Bool) {
        isOutputFull = !isWritable
        if isWritable { outputHasRoom() }
    }

    func draining(_ transport: any Transport) {
        isDraining = true
        scheduler?.enqueue(self)
    }

    func inputEnded(_ transport: any Transport) {
        isInputEnded = true
        scheduler?.enqueue(self)
    }

    func closed(_ transport: any Transport, reason: CloseReason) {
        self.transport = nil
        // Handlers that return later have nothing to wait for.
        isOutputFull = false
        scheduler?.remove(self)
        waitingReplies = RingBuffer()
        hasWaitingReplies = false
        onClose?()
        onClose = nil
        dispatcher.logger.debug("connection closed") {
            $0.add("peer", peers.peerText)
            $0.add("reason", reason.description)
        }
    }
}

// MARK: - Frames

extension ServerConnection {
    /// Why `takeFrames` returned.
    enum Next {
        /// No whole frame is left.
        case nothing
        /// The output is full; `outputHasRoom` continues.
        case heldBack
        /// The first frame is a call whose handler may wait. In a task the call has begun, and
        /// counts as in flight until `handlerReturned`.
        case awaited(MethodEntry)
    }

    /// What the first frame of the input is.
    private enum FrameOutcome {
        case needMore
        /// It has been dealt with: refused, or a cancellation.
        case handled(byteCount: Int)
        /// A call to be served.
        case call(MethodEntry, TinyPBFrame, CallDeadline, byteCount: Int)
        /// A frame rule was broken: see `fault`.
        case broken
    }

    /// The same for the input that is left in the transport. In a task.
    func takeFrames(_ context: ServingContext) -> Next {
        var next = Next.nothing
        context.transport.readInput { next = takeFrames(&$0, context, inTask: true) }
        return next
    }

    /// Takes whole frames from the front of the input: refuses calls, cancels calls, runs
    /// synchronous handlers; up to the first call whose handler may wait. The one way for all
    /// frames.
    ///
    /// - Parameter inTask: whether a handler task is at it, which then awaits the handler. On the
    ///   loop, outside of a task, that frame stays in the input, and the caller has bound the
    ///   context of synchronous calls.
    private func takeFrames(
        _ input: inout ByteBuffer, _ context: ServingContext, inTask: Bool
    ) -> Next {
        if fault != nil { return .nothing }
        let now = scheduler?.now ?? dispatcher.time.monotonic()
        while fault == nil {
            if isOutputFull || hasWaitingReplies {
                isHeldBack = true
                return .heldBack
            }
            var awaited: MethodEntry?
            let byteCount = input.withBytes { bytes in
                switch inspect(bytes, context, now) {
                case .needMore, .broken: return 0
                case .handled(let byteCount): return byteCount
                case .call(let method, let frame, let deadline, let byteCount):
                    switch method.handler {
                    case .synchronous(let serve):
                        context.responder.begin(
                            frame, byteCount, bytes, method, of: self, deadline: deadline)
                        run(serve, context, method, bytes.extracting(frame.payload), inTask: inTask)
                        context.responder.handlerReturned()
                        return byteCount
                    case .awaited:
                        if inTask {
                            context.responder.begin(
                                frame, byteCount, bytes, method, of: self, deadline: deadline)
                            callsInFlight += 1
                        }
                        awaited = method
                        return 0
                    }
                }
            }
            if let awaited { return .awaited(awaited) }
            if byteCount == 0 { break }
            input.consume(byteCount)
        }
        if fault != nil { closeBroken() } else { closeIfDone() }
        return .nothing
    }

    @inline(__always)
    private func run(
        _ serve: MethodEntry.Synchronous, _ context: ServingContext, _ method: MethodEntry,
        _ request: RawSpan, inTask: Bool
    ) {
        if !inTask { return serve(context, method, request) }
        // It came behind a call that is awaited; the context of synchronous calls does not count
        // in tasks.
        CallContext.$current.withValue(context.responder.context) {
            serve(context, method, request)
        }
    }

    /// Looks at the first frame, and answers what is no call to be served.
    @inline(__always)
    private func inspect(
        _ bytes: RawSpan, _ context: ServingContext, _ now: MonotonicTime
    ) -> FrameOutcome {
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
        guard case .frame(let frame, let byteCount) = step else { return .needMore }
        let name = bytes.extracting(frame.methodName)
        guard let method = context.table.find(name) else {
            unknownMethod(name, bytes.extracting(frame.messageID))
            return .handled(byteCount: byteCount)
        }
        let timeout =
            frame.errorCode == 0
            ? MetadataBlock.timeoutMilliseconds(bytes.extracting(frame.errorInfo)) : nil
        if let refusal = refusal(of: method, frame, timeout, context.limiter) {
            dispatcher.counters.refused()
            refuse(bytes.extracting(frame.messageID), name, refusal)
            return .handled(byteCount: byteCount)
        }
        let deadline = CallDeadline(
            timeoutMilliseconds: timeout, own: method.limits.timeout, now: now)
        return .call(method, frame, deadline, byteCount: byteCount)
    }

    /// A name that is no method's: cancels a call, or is refused.
    private func unknownMethod(_ name: RawSpan, _ messageID: RawSpan) {
        if CancelFrame.isCancel(name) { return cancel(messageID) }
        dispatcher.counters.refused()
        refuse(messageID, name, dispatcher.table.failure(for: String(decodingUTF8: name)))
    }

    /// Why a call is not served, by the server's limits and the call's own; nil where it is.
    @inline(__always)
    private func refusal(
        of method: MethodEntry, _ frame: TinyPBFrame, _ timeout: Int64?,
        _ limiter: ConcurrencyLimiter
    ) -> RPCError? {
        if !method.isAlwaysServed {
            if isDraining { return RPCError(.unavailable, "the server is draining") }
            if let refusal = limiter.refusal(callsOnConnection: callsInFlight) {
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

    /// The caller has cancelled a call: its handler's task is cancelled, and no reply is sent.
    private func cancel(_ messageID: RawSpan) {
        guard let task = suspended.find(messageID.copied) else {
            // It has usually finished meanwhile.
            dispatcher.counters.cancelledUnknown()
            return
        }
        dispatcher.counters.cancelled()
        task.cancelCall()
    }

    /// The handler of an awaited call has returned.
    func handlerReturned() {
        callsInFlight -= 1
        if callsInFlight == 0, isEnding { scheduler?.enqueue(self) }
        if isHeldBack || hasWaitingReplies { outputHasRoom() }
    }

    // MARK: Back-pressure

    /// The reply of `responder` waits until the output has room.
    func wait(_ responder: CallResponder) {
        hasWaitingReplies = true
        waitingReplies.append(responder)
    }

    /// Appends to the output.
    @inline(__always)
    func send(over transport: any Transport, _ body: (inout ByteBuffer) -> Void) {
        if !transport.send(body) { isOutputFull = true }
    }

    /// Lets the next reply that waits be sent, or frames be taken again where none waits. Once it
    /// has been sent, `handlerReturned` comes back here.
    private func outputHasRoom() {
        if isOutputFull { return }
        while let next = waitingReplies.popFirst() {
            if next.outputHasRoom() { return }
        }
        hasWaitingReplies = false
        if isHeldBack {
            isHeldBack = false
            scheduler?.enqueue(self)
        }
    }

    // MARK: The end

    /// No further call will come, or none that would be served.
    private var isEnding: Bool { isDraining || isInputEnded }

    /// Closes once the input is used up and the last call is answered.
    private func closeIfDone() {
        guard isEnding, callsInFlight == 0 else { return }
        transport?.close(.afterFlush, reason: isInputEnded ? .peerFinished : .drained)
    }

    private func closeBroken() {
        guard let error = fault else { return }
        dispatcher.counters.brokenStream()
        dispatcher.logger.error("bad frame, connection closed") {
            $0.add("peer", peers.peerText)
            $0.add("rule", error.rule.rawValue)
            $0.add("offset", error.offset)
            $0.add("detail", error.description)
        }
        transport?.close(.afterFlush, reason: .rejected("bad frame"))
    }
}
