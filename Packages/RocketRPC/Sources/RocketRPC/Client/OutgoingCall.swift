import RocketBase
import RocketCodec
import RocketSystem
import Synchronization

// SAFETY: the caller sets it up and hands it over through the channel's inbox; from then on it
// belongs to the channel's loop, until the caller's task is resumed.

/// One outgoing call, without the types of its messages: its parameters, its state, and the
/// continuation of its caller. The code that removes it from the pending calls ends it.
@safe @usableFromInline
final class OutgoingCall: @unchecked Sendable {
    let method: ErasedMethod
    /// The `CallPayload`: the request, and room for the response.
    @usableFromInline let payload: AnyObject
    // SAFETY: read and written field by field, with nothing else inside an access.
    @exclusivity(unchecked) var parameters = CallParameters()
    /// That of its method; most have none.
    var policy: MethodPolicy?
    /// Observes the call for its caller; most calls have none.
    var controller: RPCController?
    /// The caller's task. Bound to the channel's loop.
    // SAFETY: resumed once, by `end`, which removes it.
    nonisolated(unsafe) private var continuation: UnsafeContinuation<Void, Never>?
    /// The calls that the caller waits for together; nil: it waits for this one, by `continuation`.
    private var batch: CallBatch?
    /// The messages of a streaming call, and its target for errors.
    var stream: CallStream?
    var target = ""
    /// From `begin` to `end`.
    private(set) var isInFlight = false
    /// The error of a call that failed. Set at the end.
    private(set) var error: RPCError?
    private let failed = Atomic(false)
    /// Its id on the wire, and its slot in the pending calls while it is there. Bound to the
    /// channel's loop.
    var id = CallID.empty
    var slot = -1
    /// Its index among the hedged calls; negative: it is none. Bound to the channel's loop.
    var hedge = -1
    private let cancelled = Atomic(false)

    @usableFromInline
    init(_ method: ErasedMethod, _ payload: AnyObject) {
        self.method = method
        self.payload = payload
    }

    /// Called before the call is handed over.
    func begin(resuming continuation: UnsafeContinuation<Void, Never>? = nil) {
        isInFlight = true
        unsafe self.continuation = continuation
    }

    /// Called when the call is handed over as one of several.
    func begin(in batch: CallBatch) {
        isInFlight = true
        self.batch = batch
    }

    /// Whether there is an error; cheaper than reading `error`. A thread that has read this after
    /// the end sees everything written before it. The continuation guarantees that already; but
    /// the thread sanitizer does not see it where the continuation is resumed before it is awaited.
    var hasFailed: Bool { failed.load(ordering: .acquiring) }

    /// Whether the caller has cancelled the call; it need not be sent any more.
    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    /// Marks the call as cancelled. Any thread.
    func cancel() { cancelled.store(true, ordering: .releasing) }

    /// Resets the parameters after the end, for the next call.
    ///
    /// - Returns: false where the object must not be used again: a cancellation of this call may
    ///   still be on its way to the loop, and would cancel the next call.
    @usableFromInline
    func reset() -> Bool {
        if isCancelled || controller != nil || hasFailed { return false }
        if policy != nil { policy = nil }
        unsafe parameters.reset()
        return true
    }

    /// Whether the call waits while the server can't be reached.
    func waits(byDefault isDefault: Bool) -> Bool {
        unsafe parameters.waitsForReady ?? isDefault
    }

    // MARK: On the channel's loop

    /// Appends the serialized request.
    func encode(into buffer: inout ByteBuffer) throws(RPCError) {
        let before = buffer.readableBytes
        try method.encode(payload, &buffer)
        controller?.note(requestBytes: buffer.readableBytes - before)
    }

    /// The request has been written to a connection between these addresses.
    func wasSent(between peers: ConnectionPeers) { controller?.begins(id, between: peers) }

    /// Ends the call with the response in `bytes`.
    ///
    /// - Parameter info: the reply's err_info.
    func succeed(_ bytes: RawSpan, info: RawSpan) {
        do throws(RPCError) {
            try method.decode(payload, bytes)
        } catch {
            return fail(error)
        }
        if let controller {
            controller.note(responseBytes: bytes.byteCount)
            let (metadata, trailing) = MetadataBlock.readReply(info) ?? ([:], [:])
            controller.finish(replyMetadata: metadata, trailingMetadata: trailing)
        }
        if let stream { return end(stream, nil, byReply: true) }
        end(nil)
    }

    /// - Parameter byReply: whether it is the server's error.
    func fail(
        _ error: RPCError, trailingMetadata: RPCMetadata = [:], byReply: Bool = false
    ) {
        controller?.finish(trailingMetadata: trailingMetadata, error: error)
        if let stream { return end(stream, error, byReply: byReply) }
        end(error)
    }

    private func end(_ stream: CallStream, _ error: RPCError?, byReply: Bool) {
        end(error)
        controller?.end(error?.code ?? RPCErrorCode(rawValue: 0))
        let name = String(decoding: method.methodName, as: UTF8.self)
        stream.callEnded(error?.about(method: name, peer: target), byReply: byReply)
    }

    func fail(_ code: RPCErrorCode, _ text: String) { fail(RPCError(code, text)) }

    private func end(_ error: RPCError?) {
        precondition(isInFlight, "a call ends once")
        isInFlight = false
        slot = -1
        if let error { self.error = error }
        // Once resumed, the caller owns the object.
        let continuation = unsafe continuation.take()
        let batch = batch.take()
        failed.store(error != nil, ordering: .releasing)
        unsafe continuation?.resume()
        batch?.callEnded()
    }
}

/// The parameters of a call, beside its request.
struct CallParameters: Sendable {
    var metadata = RPCMetadata()
    var deadline: MonotonicTime?
    /// Whether the call waits while the server can't be reached; nil: as the channel is configured.
    var waitsForReady: Bool?
    /// Whether the call may be sent again after the server may have processed it.
    var isIdempotent = false
    /// Whether its requests may be compressed.
    var compressesRequest = true
    var idChoice = CallIDChoice.fresh
    /// A hash of what a consistent hash goes by; nil: a random server.
    var balancingKey: UInt64?

    /// Restores the defaults of all but the deadline. Writes only what differs.
    mutating func reset() {
        if !metadata.isEmpty { metadata = [:] }
        if waitsForReady != nil { waitsForReady = nil }
        if isIdempotent { isIdempotent = false }
        if balancingKey != nil { balancingKey = nil }
        if !compressesRequest { compressesRequest = true }
        if case .fresh = idChoice { return }
        idChoice = .fresh
    }
}
