import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP
import Synchronization

/// One client's connection: takes frames from its input and appends replies to its output. Bound to
/// its loop; without a scheduler to the task that drives it (`RPCDispatcher.answer`).
///
/// While the output is above the high water mark, no frame is taken and no call begins; replies of
/// handlers that return meanwhile are queued; errors are not. So a peer that reads slowly receives
/// all replies, and the server's memory for it is bounded by the high water mark, one reply, the
/// errors, and the responses of the calls in flight.
final class ServerConnection {
    let dispatcher: RPCDispatcher
    let codec: TinyPBCodec
    let scheduler: HandlerScheduler?
    private(set) var peers = ConnectionPeers.none
    private(set) var transport: (any Transport)?
    /// Called once when the connection has closed.
    var onClose: (() -> Void)?
    /// The number of calls whose handlers run now, including suspended ones but for `watch` calls
    /// of `rocket.Health`.
    var callsInFlight = 0
    /// The calls of `rocket.Health` that wait.
    var healthCalls = HealthCalls()
    /// The calls in flight whose handlers are suspended.
    var suspended = SuspendedCalls()
    /// Whether the output is above its high water mark.
    private(set) var isOutputFull = false
    /// Replies that wait until the output has room, in the order in which their handlers returned.
    private var waitingReplies = RingBuffer<CallResponder>()
    /// Whether replies wait or one of them is being sent.
    private(set) var hasWaitingReplies = false
    /// Whether the connection is in the scheduler's queue.
    var isReady = false
    /// Since when the first frame of the input waits at least, while `isReady`.
    var waitingSince = MonotonicTime(nanoseconds: 0)
    /// Whether the scheduler has an admission control, as of the last read: most have none, and a look
    /// at it counts a reference.
    private var isAdmissionControlled = false
    /// The caller whose rate was asked for last.
    var knownCaller: CallerKey?
    /// Whether frames wait until the output has room.
    private var isHeldBack = false
    /// What the peer has shown of metadata, and what it has been sent.
    var metadata = PeerMetadata()
    /// The callers that are known, and what each may call; nil until a call has to be checked.
    var access: ConnectionAccess?
    /// Its streams, once it has had one.
    var streams: ConnectionStreams?
    /// Whether and how the connection ends.
    var ending = ConnectionEnding()
    /// What replies report; nil: nothing.
    let load: LoopLoad?
    /// Records calls; nil: nothing does.
    let metrics: LoopMetrics?
    /// Its number among the connections of the server, from 1 on.
    let number: UInt64
    /// When it began to take calls.
    private(set) var openedAt = MonotonicTime(nanoseconds: 0)
    /// The name of its protocol.
    var wire = ownWire
    /// That of the connections that no other wire has claimed.
    static let ownWire = "TinyPB"
    /// When the next report of the load is due.
    var nextLoadReport = MonotonicTime(nanoseconds: 0)
    /// How its peer takes what is sent.
    var reading = PeerReading()
    /// Its entry in `ConnectionAges`.
    var ageTimer: TimerID?
    /// Set once a frame was invalid: the rest of the input can't be parsed, and is ignored while
    /// the connection flushes its output and closes.
    var fault: FrameError?
    /// What the peer seems to speak, where `fault` is that it does not speak TinyPB.
    var foreign: ForeignProtocol?
    /// The bytes of an oversized frame that have not arrived yet, and are dropped.
    var bytesToSkip = 0
    /// Whether the front of the input is no frame: `fault` or `bytesToSkip` is set.
    var isOutOfFrame = false

    /// - Parameter number: nil: the next one of the dispatcher.
    init(
        dispatcher: RPCDispatcher, codec: TinyPBCodec, scheduler: HandlerScheduler?,
        number: UInt64? = nil
    ) {
        self.dispatcher = dispatcher
        self.codec = codec
        self.scheduler = scheduler
        load = scheduler?.load
        metrics = scheduler?.metrics
        self.number = number ?? (scheduler == nil ? 0 : dispatcher.nextConnectionNumber())
    }
}

// MARK: - The transport's events

extension ServerConnection: TransportHandler {
    func connected(_ transport: any Transport) {
        self.transport = transport
        peers = ConnectionPeers(transport)
        if let scheduler {
            openedAt = scheduler.now
            scheduler.add(self)
        }
    }

    /// Runs synchronous handlers at once, and schedules a handler task for other calls.
    func received(_ transport: any Transport, _ input: inout ByteBuffer) {
        guard let scheduler else { return }
        isAdmissionControlled = scheduler.updateAdmission()
        if dispatcher.table.hasSynchronous {
            let context = _ServingContext(self, transport, scheduler.synchronousResponder(of: self))
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
        if isWritable {
            outputHasRoom()
            streams?.outputHasRoom()
        }
    }

    func draining(_ transport: any Transport) { beginDraining() }

    func drainTimedOut(_ transport: any Transport) { endCalls() }

    func inputEnded(_ transport: any Transport) {
        ending.isInputEnded = true
        scheduler?.enqueue(self)
    }

    func closed(_ transport: any Transport, reason: CloseReason) {
        self.transport = nil
        // Handlers that return later have nothing to wait for.
        isOutputFull = false
        scheduler?.remove(self)
        streams?.close()
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
    /// The reason why `takeFrames` returned.
    enum Next {
        /// No complete frame is left.
        case nothing
        /// The output is full; `outputHasRoom` continues.
        case heldBack
        /// The first frame is a call whose handler may wait. In a task the call has begun, and
        /// counts as in flight until `handlerReturned`.
        case awaited(_MethodEntry)
    }

    /// The outcome of inspecting the first frame of the input.
    private enum FrameOutcome {
        case needMore
        /// The frame has been handled: a refused call or a cancellation.
        case handled(byteCount: Int)
        /// A call to be served.
        case call(_MethodEntry, TinyPBFrame, CallDeadline, byteCount: Int)
        /// The frame is invalid: see `fault`.
        case broken
    }

    /// Takes frames from the input that is left in the transport. In a handler task.
    func takeFrames(_ context: _ServingContext) -> Next {
        var next = Next.nothing
        context.transport.readInput { next = takeFrames(&$0, context, inTask: true) }
        return next
    }

    /// Takes complete frames from the front of the input: refuses calls, cancels calls and runs
    /// synchronous handlers, up to the first call whose handler may suspend. Processes all frames
    /// of the server.
    ///
    /// - Parameter inTask: whether the caller is a handler task, which then awaits the handler.
    ///   Outside of a task, that frame stays in the input, and the caller must have bound the
    ///   context of synchronous calls.
    private func takeFrames(
        _ input: inout ByteBuffer, _ context: _ServingContext, inTask: Bool
    ) -> Next {
        if isOutOfFrame, !skip(&input) { return .nothing }
        let now = scheduler?.now ?? dispatcher.time.monotonic()
        let admission = isAdmissionControlled ? scheduler?.admission : nil
        context.metrics?.takesCalls()
        while fault == nil {
            if isOutputFull || hasWaitingReplies {
                isHeldBack = true
                return .heldBack
            }
            var awaited: _MethodEntry?
            let byteCount = input.withBytes { bytes in
                switch inspect(bytes, context, admission, now, inTask: inTask) {
                case .needMore, .broken: return 0
                case .handled(let byteCount): return byteCount
                case .call(let method, let frame, let deadline, let byteCount):
                    switch method.handler {
                    case .synchronous(let serve):
                        begin(frame, byteCount, bytes, method, context, deadline)
                        context.metrics?.began(
                            context.responder, method, frame, in: bytes, isAwaited: false,
                            readAt: inTask ? waitingSince : now)
                        admission?.began(context.responder)
                        run(serve, context, method, bytes.extracting(frame.payload), inTask: inTask)
                        context.responder.handlerReturned()
                        return byteCount
                    case .awaited:
                        if inTask {
                            begin(frame, byteCount, bytes, method, context, deadline)
                            context.metrics?.began(
                                context.responder, method, frame, in: bytes, isAwaited: true,
                                readAt: waitingSince)
                            admission?.began(context.responder)
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

    /// Inspects the first frame, and handles it unless it is a call to be served.
    @inline(__always)
    private func inspect(
        _ bytes: RawSpan, _ context: _ServingContext, _ admission: AdmissionControl?,
        _ now: MonotonicTime, inTask: Bool
    ) -> FrameOutcome {
        let step: FrameStep<TinyPBFrame>
        do throws(FrameError) {
            step = try codec.step(bytes)
        } catch {
            // A `FrameOutcome` from another function would be destroyed by its type's metadata.
            switch invalidFrame(bytes, error) {
            case nil: return .broken
            case 0: return .needMore
            case let byteCount?: return .handled(byteCount: byteCount)
            }
        }
        guard case .frame(let frame, let byteCount) = step else { return .needMore }
        let name = bytes.extracting(frame.methodName)
        guard let method = context.table.find(name) else {
            unknownMethod(name, frame, bytes)
            return fault == nil ? .handled(byteCount: byteCount) : .broken
        }
        let timeout =
            frame.errorCode == 0 && !frame.errorInfo.isEmpty
            ? timeout(in: bytes.extracting(frame.errorInfo), context) : nil
        if let refusal = refusal(of: method, frame, bytes, timeout, context.limiter) {
            refuse(frame, bytes, refusal, of: method)
            return .handled(byteCount: byteCount)
        }
        if method.isChecked.load(ordering: .relaxed),
            let denial = denial(of: method, frame, bytes, now)
        {
            refuse(frame, bytes, denial, of: method)
            return .handled(byteCount: byteCount)
        }
        // A call that begins only in a handler task is asked for there.
        if let admission, inTask || method.isSynchronous,
            let refusal = admission.refusal(
                of: method, bytes.extracting(frame.errorCode == 0 ? frame.errorInfo : 0..<0),
                timeout: timeout, on: self, isQueued: inTask || isReady)
        {
            refuse(frame, bytes, method, refusal, over: context.transport, admission)
            return .handled(byteCount: byteCount)
        }
        let deadline = CallDeadline(
            timeoutMilliseconds: timeout, own: method.limits.timeout, now: now)
        return .call(method, frame, deadline, byteCount: byteCount)
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

    /// Ends an awaited call whose handler has returned.
    func handlerReturned() {
        callsInFlight -= 1
        if callsInFlight == 0, ending.hasBegun { scheduler?.enqueue(self) }
        if isHeldBack || hasWaitingReplies { outputHasRoom() }
    }

    // MARK: Back-pressure

    /// Queues the reply of `responder` until the output has room.
    func wait(_ responder: CallResponder) {
        hasWaitingReplies = true
        waitingReplies.append(responder)
    }

    /// Appends to the output, and updates `isOutputFull`.
    @inline(__always)
    func send(
        over transport: any Transport, compressing: Bool = true, _ body: (inout ByteBuffer) -> Void
    ) {
        if !transport.send(compressing: compressing, body) { isOutputFull = true }
    }

    /// Resumes the next waiting reply, or schedules the connection again if no reply waits. Once
    /// the reply has been sent, `handlerReturned` calls this function again.
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
}
