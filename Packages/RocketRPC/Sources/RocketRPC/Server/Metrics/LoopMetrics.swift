@_spi(Recording) import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem

/// Records the calls of one loop of a server. Exists only if the server records calls. Bound to its
/// loop; its counters can be read by any thread.
///
/// A call begins where the last one ended, or the callback began in which it is its turn, so that the
/// clock is read once for each call: at its end. What is kept of single calls is stored in memory that
/// is reused.
final class LoopMetrics {
    let counters: CallCounters
    /// Records calls in a file that survives a crash; nil: nothing does.
    let flight: FlightCalls?
    let reactor: Reactor
    let methods: [_MethodEntry]
    private let slowNanoseconds: UInt64
    /// The clock of the loop; nil: the system's, which is read without an indirect call.
    private let injectedTime: (any TimeSource)?
    // SAFETY of the unchecked properties: bound to one thread, and nothing that runs inside an access
    // to one of them uses the object.
    /// The time that was read last.
    @exclusivity(unchecked) private var moment: UInt64
    @exclusivity(unchecked) private var sampler: CallSampler
    @exclusivity(unchecked) private var lastErrors: LastErrors
    var kept = KeptCalls()
    /// Kept calls whose replies have not been sent yet, and those that wait for peers that read slowly.
    var unflushed: [Unflushed] = []
    var stalled: [Unflushed] = []
    var stalledTimer: ScheduledTimer?
    var awaitsTickEnd = false
    /// Chooses calls that are recorded with their messages; nil: no recording runs.
    @exclusivity(unchecked) var recorder: LoopCallRecorder?

    init(
        _ counters: CallCounters, _ settings: ServerMetrics.Settings,
        methods: [_MethodEntry] = [], flight: FlightCalls? = nil, on reactor: Reactor
    ) {
        self.counters = counters
        self.methods = methods
        self.flight = flight
        self.reactor = reactor
        slowNanoseconds = settings.slowNanoseconds
        injectedTime = reactor.loop.time is SystemTimeSource ? nil : reactor.loop.time
        unsafe moment = reactor.now.nanoseconds
        unsafe sampler = CallSampler(callsPerSample: settings.callsPerSample)
        unsafe lastErrors = LastErrors(methodCount: counters.methodCount)
        if let flight { Self.beat(flight, on: reactor) }
    }

    @inline(__always)
    func readClock() -> UInt64 {
        // determinism: the loop's clock is the system's, unless it was handed another one
        (injectedTime?.monotonic() ?? SystemTimeSource().monotonic()).nanoseconds
    }

    // MARK: A call's way

    /// Calls are taken from an input: what was done since the callback began is part of the first.
    @inline(__always)
    func takesCalls() {
        let began = reactor.callbackBeganNanoseconds
        if began > (unsafe moment) { unsafe moment = began }
    }

    /// A call begins.
    ///
    /// - Parameters:
    ///   - frame: its request, in `bytes`.
    ///   - isAwaited: whether its handler may suspend.
    ///   - readAt: when its bytes were read.
    @inline(__always)
    func began(
        _ responder: CallResponder, _ method: _MethodEntry, _ frame: TinyPBFrame,
        in bytes: RawSpan, isAwaited: Bool, readAt: MonotonicTime
    ) {
        let now = unsafe moment
        unsafe responder.measured.isOpen = true
        unsafe responder.measured.isAwaited = isAwaited
        unsafe responder.measured.readAt = readAt.nanoseconds
        unsafe responder.measured.beganAt = now
        if isAwaited {
            unsafe CallCounters.add(
                1, to: CallCounters.Field.inFlight, of: counters.row(method.index))
        }
        if unsafe sampler.takes(at: now) { startSampling(responder) }
        if frame.errorInfo.count >= TraceParent.leastMetadataBytes { followTrace(of: responder) }
        if unsafe recorder != nil {
            record(responder, method, bytes.extracting(frame.payload), at: now)
        }
        if let flight { recordBeginning(of: responder, method, in: flight, at: now) }
    }

    @inline(never)
    private func startSampling(_ responder: CallResponder) {
        unsafe responder.measured.isSampled = true
        trace(responder)
    }

    /// A call whose caller records its trace is kept, with its stages.
    @inline(never)
    private func followTrace(of responder: CallResponder) {
        let isSampled = responder.storage.withState { state in
            // SAFETY: the array lives, unchanged, until the header is read.
            unsafe TraceParent(in: state.requestMetadata.span.bytes)?.isSampled ?? false
        }
        if !isSampled { return }
        unsafe responder.measured.isTraceSampled = true
        trace(responder)
    }

    /// The stages of the call are measured from now on: it was chosen, or its handler has suspended, so
    /// that it may become slow.
    func trace(_ responder: CallResponder) {
        if unsafe responder.isTraced { return }
        unsafe responder.measured.forgetStages()
        unsafe responder.isTraced = true
    }

    /// A stage of a traced call has ended; only the first time counts.
    @inline(never)
    func ended(_ stage: MeasuredCall.Stage, of responder: CallResponder) {
        let now = readClock()
        unsafe responder.measured.ended(stage, at: now)
    }

    /// A call has ended: it was answered, or has been given up. Only the first time counts.
    ///
    /// - Parameters:
    ///   - code: 0 for a response.
    ///   - responseBytes: the size of the response.
    @inline(__always)
    func ended(
        _ responder: CallResponder, _ method: _MethodEntry, _ code: RPCErrorCode,
        responseBytes: Int
    ) {
        if unsafe !responder.measured.isOpen { return }
        unsafe responder.measured.isOpen = false
        let now = readClock()
        let duration = unsafe now &- responder.measured.beganAt
        unsafe moment = now
        let row = unsafe counters.row(method.index)
        typealias Field = CallCounters.Field
        let bucket = RPCLatencyHistogram.bucket(of: duration)
        unsafe CallCounters.add(1, to: Field.buckets + bucket, of: row)
        unsafe CallCounters.add(duration, to: Field.nanoseconds, of: row)
        unsafe CallCounters.add(
            UInt64(truncatingIfNeeded: responder.requestBytes), to: Field.requestBytes, of: row)
        unsafe CallCounters.add(
            UInt64(truncatingIfNeeded: responseBytes), to: Field.responseBytes, of: row)
        if unsafe responder.measured.isAwaited {
            unsafe CallCounters.add(.max, to: Field.inFlight, of: row)
        }
        if let flight {
            recordEnd(of: responder, method, code, responseBytes, in: flight, at: now)
        }
        if unsafe duration >= slowNanoseconds || code.rawValue != 0 || responder.isTraced
            || responder.stream != nil
        {
            endedWithReason(responder, method, code, responseBytes, duration, at: now)
        }
    }

    /// A call has ended that is slow, failed, traced, or a stream.
    @inline(never)
    private func endedWithReason(
        _ responder: CallResponder, _ method: _MethodEntry, _ code: RPCErrorCode,
        _ responseBytes: Int, _ duration: UInt64, at now: UInt64
    ) {
        let row = unsafe counters.row(method.index)
        if code.rawValue != 0 { unsafe CallCounters.add(code, to: row) }
        var (received, sent) = (responder.requestBytes, responseBytes)
        if let stream = responder.stream {
            let messages = (stream.inbound.receivedBytes, stream.outbound.writtenBytes)
            received += messages.0
            sent += messages.1
            unsafe CallCounters.add(
                UInt64(truncatingIfNeeded: messages.0), to: CallCounters.Field.requestBytes,
                of: row)
            unsafe CallCounters.add(
                UInt64(truncatingIfNeeded: messages.1), to: CallCounters.Field.responseBytes,
                of: row)
        }
        let measured = unsafe responder.measured
        let isTraced = unsafe responder.isTraced
        endRecord(of: responder, code, at: now)
        unsafe responder.isTraced = false
        unsafe responder.measured.isSampled = false
        unsafe responder.measured.isTraceSampled = false
        let failure = responder.failure
        if code.rawValue != 0 {
            responder.failure = ""
            unsafe lastErrors.record(code, failure, of: method.index, at: now)
        }
        let connection = responder.connection
        let (peers, info, peerWait) = responder.storage.withState {
            ($0.peers, $0.requestMetadata, $0.peerWait)
        }
        // SAFETY: the array lives, unchanged, until the header is read.
        let parent = unsafe TraceParent(in: info.span.bytes)
        if measured.isTraceSampled, let parent {
            counters.exemplars.record(parent, duration, of: method.index, at: now)
        }
        guard
            let (reason, ring) = unsafe Self.reason(
                method, code, duration >= slowNanoseconds, measured, &sampler, at: now)
        else { return }
        var call = KeptCall(
            endedAt: now, method: method, peers: peers ?? connection.peers,
            connection: connection.number, wire: connection.wire, code: code, reason: reason,
            measured: measured)
        if !isTraced { call.measured.forgetStages() }
        call.error = ErrorText.shortened(failure)
        call.peerWait = peerWait &+ (responder.stream?.outbound.waitedNanoseconds ?? 0)
        call.requestBytes = received
        call.responseBytes = sent
        if let parent { call.trace = parent.traceID }
        keep(call, in: ring, of: connection)
    }

    /// Why a call is kept, and where; nil: it is not.
    private static func reason(
        _ method: _MethodEntry, _ code: RPCErrorCode, _ isLong: Bool, _ measured: MeasuredCall,
        _ sampler: inout CallSampler, at now: UInt64
    ) -> (RPCServerSnapshot.SampledCall.Reason, KeptCalls.Ring)? {
        let reason: RPCServerSnapshot.SampledCall.Reason
        var ring: KeptCalls.Ring
        // A stream lasts as long as its two sides like.
        if isLong, method.kind == .unary {
            (reason, ring) = (.slow, .slow)
        } else if code == .cancelled {
            (reason, ring) = (.cancelled, .cancelled)
        } else if code.rawValue != 0 {
            (reason, ring) = (.failed, .failed)
        } else if measured.isSampled {
            (reason, ring) = (.sampled, .sampled)
        } else {
            (reason, ring) = (.traced, .traced)
        }
        if measured.isTraceSampled {
            ring = .traced
        } else if reason == .traced || !sampler.takes(reason, at: now) {
            return nil
        }
        return (reason, ring)
    }

    /// A call was refused before it began.
    ///
    /// - Parameters:
    ///   - method: nil for a name that is not registered.
    ///   - messageID: as it was received.
    ///   - metadata: as it was received; empty: it has none.
    @inline(never)
    func refused(
        _ method: _MethodEntry?, _ error: RPCError, _ messageID: RawSpan, _ metadata: RawSpan,
        on connection: ServerConnection
    ) {
        let index = method?.index ?? counters.unknown
        let row = unsafe counters.row(index)
        unsafe CallCounters.add(1, to: CallCounters.Field.refused, of: row)
        unsafe CallCounters.add(error.code, to: row)
        let now = unsafe moment
        if let flight {
            recordRefusal(
                of: method, error.code, messageID, on: connection, in: flight, at: now)
        }
        unsafe lastErrors.record(error.code, error.message, of: index, at: now)
        let parent = TraceParent(in: metadata)
        let isTraced = parent?.isSampled == true
        guard unsafe isTraced || sampler.takes(.failed, at: now) else { return }
        var measured = MeasuredCall()
        measured.readAt = now
        measured.beganAt = now
        var call = KeptCall(
            endedAt: now, method: method, peers: connection.access?.peersOfCall ?? connection.peers,
            connection: connection.number, wire: connection.wire, code: error.code, reason: .failed,
            measured: measured)
        call.error = ErrorText.shortened(error.message)
        if let parent { call.trace = parent.traceID }
        keep(call, in: isTraced ? .traced : .failed, of: connection)
    }

    // MARK: Kept calls

    private func keep(_ call: KeptCall, in ring: KeptCalls.Ring, of connection: ServerConnection) {
        awaitFlush(of: kept.append(call, to: ring), on: connection)
    }

    /// The calls that were kept, of all reasons, in no particular order.
    var keptCalls: [KeptCall] { kept.all }

    /// The last error of each method.
    var errors: [LastError] { unsafe lastErrors.all }
}
