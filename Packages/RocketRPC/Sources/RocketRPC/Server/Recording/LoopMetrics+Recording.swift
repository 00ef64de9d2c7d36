import RocketBase
import RocketReactor

// Calls that are recorded with their messages.

extension LoopMetrics {
    /// Begins a recording.
    func record(by shared: RPCCallRecorder) {
        unsafe recorder = LoopCallRecorder(shared, methods: methods, random: reactor.random)
    }

    /// Ends one, if it is that one.
    func stopRecording(by shared: RPCCallRecorder) {
        if unsafe recorder?.shared === shared { unsafe recorder = nil }
    }

    /// A call begins, while a recording runs.
    @inline(never)
    func record(
        _ responder: CallResponder, _ method: _MethodEntry, _ request: RawSpan, at now: UInt64
    ) {
        let record = unsafe recorder?.record(responder, method, request: request, at: now)
        guard let record else { return }
        unsafe responder.record = record
        trace(responder)
    }

    /// A call has ended that is traced.
    func endRecord(of responder: CallResponder, _ code: RPCErrorCode, at now: UInt64) {
        guard let record = unsafe responder.record else { return }
        unsafe responder.record = nil
        record.end(code, responder.storage, at: now)
    }
}
