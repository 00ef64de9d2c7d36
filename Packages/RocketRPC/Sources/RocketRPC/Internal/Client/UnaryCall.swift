import RocketBase
import RocketCodec
import RocketSystem
import SwiftProtobuf

/// A request and the continuation of the task that waits for its response.
final class UnaryCall<Request: Message & Sendable, Response: Message & Sendable>: OutgoingCall {
    typealias Outcome = Result<Response, RPCError>

    private let method: RPCMethod<Request, Response>
    private let request: Request
    /// What the caller looks at, if anything.
    private let controller: RPCController?
    private let state = Locked(CallerState())
    // SAFETY: written once, before the continuation is resumed, and read by whom that resumes.
    nonisolated(unsafe) private var outcome: Outcome?
    let metadata: RPCMetadata
    let deadline: MonotonicTime?
    let waitsForReady: Bool?
    let isIdempotent: Bool
    let idChoice: CallIDChoice
    // SAFETY: written and read on the channel's loop only.
    nonisolated(unsafe) private var loopID: CallID?

    var id: CallID? {
        get { unsafe loopID }
        set { unsafe loopID = newValue }
    }

    var methodName: [UInt8] { method.fullNameBytes }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    init(
        _ method: RPCMethod<Request, Response>, _ request: Request, metadata: RPCMetadata,
        deadline: MonotonicTime?, options: RPCCallOptions, idChoice: CallIDChoice,
        controller: RPCController?
    ) {
        self.method = method
        self.request = request
        self.metadata = metadata
        self.deadline = deadline
        waitsForReady = options.waitsForReady
        isIdempotent = options.isIdempotent || metadata["idempotency-key"] != nil
        self.idChoice = idChoice
        self.controller = controller
    }

    /// Before the call is handed over.
    func wait(with continuation: UnsafeContinuation<Void, Never>) {
        state.withLock { unsafe $0.continuation = continuation }
    }

    /// After the continuation was resumed.
    func result() -> Outcome {
        guard let outcome = unsafe outcome else {
            preconditionFailure("a call's caller goes on before the call has ended")
        }
        return outcome
    }

    func cancel() { state.withLock { $0.isCancelled = true } }

    func encode(into buffer: inout ByteBuffer) throws(RPCError) {
        let before = buffer.readableBytes
        do {
            try method.request.append(request, to: &buffer)
        } catch {
            throw RPCError(.failedSerialize, "the request can't be serialized", cause: error)
        }
        controller?.note(requestBytes: buffer.readableBytes - before)
    }

    func begins(_ id: CallID, between peers: ConnectionPeers) {
        controller?.begins(id, between: peers)
    }

    func succeed(_ payload: RawSpan, info: RawSpan) {
        do {
            let response = try method.response.message(from: payload)
            controller?.note(responseBytes: payload.byteCount)
            controller?.finish(replyMetadata: MetadataBlock.read(info) ?? [:])
            finish(.success(response))
        } catch {
            fail(
                RPCError(
                    .failedDeserialize, "the reply is no \(Response.protoMessageName)",
                    cause: error))
        }
    }

    func fail(_ error: RPCError) {
        controller?.finish(error: error)
        finish(.failure(error))
    }

    private func finish(_ outcome: Outcome) {
        let waiting = unsafe state.withLock { state in
            defer { unsafe state.continuation = nil }
            return unsafe state.continuation
        }
        guard let waiting = unsafe waiting else { return }
        unsafe self.outcome = outcome
        unsafe waiting.resume()
    }
}

/// Who waits for a call. Not generic, and neither are the locks and continuations around it: in
/// code that is not compiled for one message type, each use of a generic type asks the runtime for
/// it anew.
// SAFETY: the continuation is resumed once: `finish` takes it away under the lock.
@safe private struct CallerState {
    var continuation: UnsafeContinuation<Void, Never>?
    var isCancelled = false
}
