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
    /// Chooses calls that are recorded with their messages; nil: no recording runs.
    @exclusivity(unchecked) var recorder: LoopCallRecorder?
    /// The calls that were kept, by reason: many failed ones don't displace the slow ones.
    private var slow = LastElements<KeptCall>()
    private var failed = LastElements<KeptCall>()
    private var sampled = LastElements<KeptCall>()
    /// Kept calls whose replies have not been sent yet.
    private var unflushed: [Unflushed] = []
    private var awaitsTickEnd = false

    private struct Unflushed {
        let reason: RPCServerSnapshot.SampledCall.Reason
        let index: Int
        let connection: ServerConnection
        /// Tick ends to wait for: another wire passes its output on at one, which is sent at the next.
        var rounds: Int
    }

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
        if let flight { Self.beat(flight, on: reactor) }
    }

    @inline(__always)
    private func readClock() -> UInt64 {
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
    ///   - request: its message.
    ///   - isAwaited: whether its handler may suspend.
    ///   - readAt: when its bytes were read.
    @inline(__always)
    func began(
        _ responder: CallResponder, _ method: _MethodEntry, _ request: RawSpan, isAwaited: Bool,
        readAt: MonotonicTime
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
        if unsafe recorder != nil { record(responder, method, request, at: now) }
        if let flight { recordBeginning(of: responder, method, in: flight, at: now) }
    }

    @inline(never)
    private func startSampling(_ responder: CallResponder) {
        unsafe responder.measured.isSampled = true
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
        let reason: RPCServerSnapshot.SampledCall.Reason
        if duration >= slowNanoseconds {
            reason = .slow
        } else if code.rawValue != 0 {
            reason = .failed
        } else {
            reason = .sampled
            if !measured.isSampled { return }
        }
        guard unsafe sampler.takes(reason, at: now) else { return }
        let connection = responder.connection
        let (peers, info) = responder.storage.withState { ($0.peers, $0.requestMetadata) }
        var call = KeptCall(
            endedAt: now, method: method, peers: peers ?? connection.peers,
            connection: connection.number, wire: connection.wire, code: code, reason: reason,
            measured: measured)
        if !isTraced { call.measured.forgetStages() }
        call.requestBytes = received
        call.responseBytes = sent
        // SAFETY: the array lives, unchanged, until the text is copied.
        call.traceID = unsafe Self.traceID(info.span.bytes)
        keep(call, of: connection)
    }

    /// A call was refused before it began.
    ///
    /// - Parameter method: nil for a name that is not registered.
    @inline(never)
    func refused(_ method: _MethodEntry?, _ code: RPCErrorCode, on connection: ServerConnection) {
        let row = unsafe counters.row(method?.index ?? counters.unknown)
        unsafe CallCounters.add(1, to: CallCounters.Field.refused, of: row)
        unsafe CallCounters.add(code, to: row)
        let now = unsafe moment
        if let flight { recordRefusal(of: method, code, on: connection, in: flight, at: now) }
        guard unsafe sampler.takes(.failed, at: now) else { return }
        var measured = MeasuredCall()
        measured.readAt = now
        measured.beganAt = now
        keep(
            KeptCall(
                endedAt: now, method: method,
                peers: connection.access?.peersOfCall ?? connection.peers,
                connection: connection.number, wire: connection.wire, code: code, reason: .failed,
                measured: measured),
            of: connection)
    }

    private static func traceID(_ info: RawSpan) -> String? {
        guard info.byteCount > 0, let range = MetadataBlock.value(of: "traceparent", in: info)
        else { return nil }
        return MetadataBlock.text(of: range, in: info).flatMap { TraceParent.traceID($0) }
    }

    // MARK: Kept calls

    private func keep(_ call: KeptCall, of connection: ServerConnection) {
        let index: Int
        switch call.reason {
        case .slow: index = slow.append(call)
        case .failed: index = failed.append(call)
        case .sampled: index = sampled.append(call)
        }
        if connection.transport == nil { return }
        unflushed.append(
            Unflushed(
                reason: call.reason, index: index, connection: connection,
                rounds: connection.wire == ServerConnection.ownWire ? 1 : 2))
        if awaitsTickEnd { return }
        awaitsTickEnd = true
        reactor.observeTickEnd(self)
    }

    private func recordFlush(of waiting: Unflushed, at now: UInt64) {
        switch waiting.reason {
        case .slow: slow[waiting.index].flushedAt = now
        case .failed: failed[waiting.index].flushedAt = now
        case .sampled: sampled[waiting.index].flushedAt = now
        }
    }

    /// The calls that were kept, of all reasons, in no particular order.
    var keptCalls: [KeptCall] { [KeptCall](slow.all) + failed.all + sampled.all }
}

extension LoopMetrics: TickEndHandler {
    /// The connections have sent what was written before this was observed.
    func tickEnding(on reactor: Reactor) {
        awaitsTickEnd = false
        let now = readClock()
        var waiting: [Unflushed] = []
        swap(&waiting, &unflushed)
        for var call in waiting {
            call.rounds -= 1
            if call.rounds > 0 {
                unflushed.append(call)
            } else if call.connection.transport?.pendingBytes == 0 {
                recordFlush(of: call, at: now)
            }
        }
        if unflushed.isEmpty { return }
        awaitsTickEnd = true
        reactor.observeTickEnd(self)
    }
}
