import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import SwiftProtobuf

/// The obligation to answer one call: fulfilled exactly once, by `succeed`, `fail` or `abandon`.
///
/// Owned by the driver that runs the handler, bound to the connection's loop.
final class ServerCall {
    /// What the handler sees, and what `RPCController.current` is bound to while handlers run.
    /// Reused from call to call as long as nobody kept it; see `bindingBegan`.
    private(set) var controller = RPCController()
    /// References to the controller while no handler runs.
    private var ownReferences: UInt = 0
    private(set) var connection: ServerConnection
    private(set) var isAnswered = true
    /// When it has to be over.
    private(set) var deadline = CallDeadline(
        timeoutMilliseconds: nil, own: nil, now: .distantFuture)
    private var methodName: [UInt8] = []
    private var maxResponseBytes = Int.max
    private var startedAt = MonotonicTime(nanoseconds: 0)

    init(connection: ServerConnection) { self.connection = connection }

    /// Starts over for the next frame of `connection`.
    func begin(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ method: MethodEntry,
        of connection: ServerConnection, deadline: CallDeadline
    ) {
        self.connection = connection
        isAnswered = false
        self.deadline = deadline
        methodName = method.handler.fullNameBytes
        maxResponseBytes = method.limits.maxResponseBytes
        if connection.dispatcher.logsCalls { startedAt = connection.dispatcher.time.monotonic() }
        let id = bytes.extracting(frame.messageID)
        let metadata = bytes.extracting(frame.errorCode == 0 ? frame.errorInfo : 0..<0)
        controller.state.withLock { state in
            replace(&state.messageID, with: id)
            replace(&state.requestMetadata, with: metadata)
            if state.changedMetadata != nil { state.changedMetadata = nil }
            state.method = method.handler.fullName
            state.peers = connection.peers
            state.deadline = deadline.time
            if !state.replyMetadata.isEmpty { state.replyMetadata = RPCMetadata() }
            state.isCancelled = false
            state.isFinished = false
            state.requestBytes = frame.payload.count
            state.responseBytes = 0
            state.ending = nil
            if !state.observers.isEmpty { state.observers = [] }
        }
    }

    /// The bytes that its answer bears.
    var messageID: [UInt8] { controller.state.withLock { $0.messageID } }

    // MARK: The binding

    // Binding a task-local around every call costs several times what the call does (two changes of
    // executor for an async one). So it is bound around many calls, to the controller that they
    // share; and when a handler has kept that, or has started a task that inherits it and outlives
    // the call, the next call gets another controller in a binding of its own.

    /// What is bound. Each binding begins with a controller that nobody else has.
    func freshContext() -> CallContext {
        if !isKnownUniquelyReferenced(&controller) { controller = RPCController() }
        return CallContext(controller)
    }

    /// Inside the binding, before the first call.
    func bindingBegan() { ownReferences = _getRetainCount(controller) }

    /// Between calls: whether somebody out there holds on to the controller.
    var isKept: Bool { _getRetainCount(controller) > ownReferences }

    private func replace(_ array: inout [UInt8], with bytes: RawSpan) {
        if array.isEmpty, bytes.isEmpty { return }
        array.removeAll(keepingCapacity: true)
        // SAFETY: the pointer does not leave the closure.
        unsafe bytes.withUnsafeBytes { unsafe array.append(contentsOf: $0) }
    }

    /// Answers with a response.
    func succeed<M>(with response: M, _ coding: RPCMessageCoding<M>) {
        answer(code: .init(rawValue: 0), info: "") { try coding.append(response, to: &$0) }
    }

    /// Answers with an error. What has no code of its own is INTERNAL: its detail goes to the log
    /// and not on the wire.
    func fail(with error: any Error) {
        // Code 0 would be success, with nothing in it.
        if let error = error as? RPCError, error.code.rawValue != 0 { return fail(error) }
        if error is CancellationError, controller.isCancelled {
            return fail(RPCError(.cancelled, "the call was given up"))
        }
        CallContext.$current.withValue(CallContext(controller)) {
            connection.dispatcher.logger.error("handler failed") {
                $0.add("error", String(describing: error))
            }
        }
        fail(RPCError(.internal, "the handler failed"))
    }

    /// Answers with that code and text.
    func fail(_ error: RPCError) { answer(code: error.code, info: error.message) { _ in } }

    /// Nobody waits for the answer any more: the connection is gone.
    func abandon() {
        isAnswered = true
        controller.end(.cancelled, cancelled: true)
    }

    private func answer(
        code: RPCErrorCode, info: String, payload: (inout ByteBuffer) throws -> Void
    ) {
        guard !isAnswered else { return }
        let (id, metadata) = controller.state.withLock { ($0.messageID, $0.replyMetadata) }
        var text = [UInt8](info.utf8)
        if code.rawValue == 0, !metadata.isEmpty {
            do {
                text = try block(metadata)
            } catch {
                return fail(RPCError(.resourceExhausted, "the reply's \(error)"))
            }
        }
        isAnswered = true
        // SAFETY: the arrays live, unchanged, until send returns.
        let sent = unsafe connection.send(
            id.span.bytes, methodName.span.bytes, code, text.span.bytes, limit: maxResponseBytes,
            payload)
        controller.end(sent.code, responseBytes: sent.payloadBytes)
        logCall(sent.code)
    }

    private func block(_ metadata: RPCMetadata) throws(MetadataTooLarge) -> [UInt8] {
        var buffer = ByteBuffer()
        try MetadataBlock.write(metadata, to: &buffer)
        return buffer.copyBytes()
    }

    private func logCall(_ code: RPCErrorCode) {
        guard connection.dispatcher.logsCalls else { return }
        let elapsed = connection.dispatcher.time.monotonic() - startedAt
        // Id, method and peer come from the context.
        CallContext.$current.withValue(CallContext(controller)) {
            connection.dispatcher.logger.debug("call served") {
                $0.add("code", code.rawValue)
                $0.add("us", microsecondsOf: elapsed)
            }
        }
    }
}
