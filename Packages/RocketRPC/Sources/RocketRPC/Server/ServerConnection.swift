import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
@_spi(Transport) import RocketTCP
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
    var transport: (any Transport)?
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
    var isAdmissionControlled = false
    /// The caller whose rate was asked for last.
    var knownCaller: CallerKey?
    /// Whether frames wait until the output has room.
    var isHeldBack = false
    /// What the peer has shown of metadata, and what it has been sent.
    var metadata = PeerMetadata()
    /// The callers that are known, and what each may call; nil until a call has to be checked.
    var access: ConnectionAccess?
    /// Its streams, once it has had one.
    var streams: ConnectionStreams?
    /// Whether and how the connection ends.
    var ending = ConnectionEnding()
    /// Takes the long fields of replies, which are sent without a copy; nil: all are copied.
    private(set) var longFields: LongFields?
    /// The owner of `longFields`.
    private var loopFields: LoopLongFields?
    /// What replies report; nil: nothing.
    let load: LoopLoad?
    /// Records calls; nil: nothing does.
    let metrics: LoopMetrics?
    /// Its number among the connections of the server, from 1 on.
    let number: UInt64
    /// When it began to take calls; 0: it has not begun.
    var openedAt = MonotonicTime(nanoseconds: 0)
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
        // A checksum needs all bytes in one place.
        if codec.checksum == .none, (transport as? TCPConnection)?.sendsInPlace == true {
            loopFields = scheduler.map { LoopLongFields.of($0.reactor) }
            longFields = loopFields?.fields
        }
        if let scheduler {
            if openedAt.nanoseconds == 0 { openedAt = scheduler.now }
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
                takeFrames(&input, context, scheduler.now, inTask: false)
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

// MARK: - Replies

extension ServerConnection {
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

    /// Puts the long fields of the reply that was appended last into their places.
    @inline(never)
    func insert(_ longFields: LongFields?, into transport: any Transport) {
        guard let connection = transport as? TCPConnection else { return }
        longFields?.insert(into: connection)
        if connection.isOutputFull { isOutputFull = true }
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
