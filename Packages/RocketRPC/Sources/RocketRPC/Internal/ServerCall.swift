import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import SwiftProtobuf

/// The obligation to answer one call: fulfilled exactly once, by `succeed`, `fail` or `abandon`.
///
/// Owned by the driver that runs the handler, bound to the connection's loop.
@usableFromInline
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
    /// Where its frame, the first in the connection's input, has the request.
    private(set) var payload = 0..<0
    /// What its frame takes of the input.
    private(set) var frameBytes = 0
    private var method: MethodEntry?
    /// Where calls are logged or measured.
    private var startedAt: MonotonicTime?

    init(connection: ServerConnection) { self.connection = connection }

    /// Starts over for the first frame in the input of `connection`.
    func begin(
        _ frame: TinyPBFrame, _ frameBytes: Int, _ bytes: RawSpan, _ method: MethodEntry,
        of connection: ServerConnection, deadline: CallDeadline
    ) {
        if self.connection !== connection { self.connection = connection }
        if self.method !== method { self.method = method }
        isAnswered = false
        self.deadline = deadline
        self.frameBytes = frameBytes
        payload = frame.payload
        startedAt = connection.dispatcher.beginsCall()
        let id = bytes.extracting(frame.messageID)
        let metadata = bytes.extracting(frame.errorCode == 0 ? frame.errorInfo : 0..<0)
        // Nobody kept it: the last call's driver, or batch, would have ended with it.
        controller.withUnsharedState { state in
            replace(&state.messageID, with: id)
            replace(&state.requestMetadata, with: metadata)
            if state.served !== method {
                state.served = method
                state.method = method.fullName
            }
            if state.peers !== connection.peers { state.peers = connection.peers }
            state.deadline = deadline.time
            state.requestBytes = frame.payload.count
            if state.isUsed { state.startOver() }
        }
    }

    /// The same, for code that is compiled elsewhere.
    @usableFromInline var handlersController: RPCController { controller }

    /// The bytes that its answer bears.
    var messageID: [UInt8] { controller.withState { $0.messageID } }

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
        // SAFETY: the pointers do not leave the closures.
        if array.count == bytes.byteCount {
            // As a rule: ids are of one length.
            if array.isEmpty { return }
            unsafe array.withUnsafeMutableBytes { old in
                unsafe bytes.withUnsafeBytes { unsafe old.copyMemory(from: $0) }
            }
        } else {
            array.removeAll(keepingCapacity: true)
            unsafe bytes.withUnsafeBytes { unsafe array.append(contentsOf: $0) }
        }
    }
}

// MARK: - The request

extension ServerCall {
    /// Takes its frame out of the input, and makes a message of what is in it; nil for bytes that
    /// are none, and the call has failed then.
    @inlinable
    func takeRequest<Request>(_ coding: RPCMessageCoding<Request>) -> Request? {
        var request: Request?
        takeFrame { request = self.request(coding, from: $0) }
        return request
    }

    /// The same with bytes that stay where they are.
    @inlinable
    func request<Request>(_ coding: RPCMessageCoding<Request>, from payload: RawSpan) -> Request? {
        do {
            return try coding.message(from: payload)
        } catch {
            failWithoutRequest()
            return nil
        }
    }

    @usableFromInline
    func takeFrame(_ body: (RawSpan) -> Void) {
        connection.link?.withInput { input in
            input.withBytes { body($0.extracting(payload)) }
            input.consume(frameBytes)
        }
    }

    @usableFromInline
    func failWithoutRequest() {
        fail(RPCError(.failedDeserialize, "the request is no \(method?.requestName ?? "message")"))
    }
}

// MARK: - Answering

extension ServerCall {
    /// Answers with a response.
    @inlinable
    func succeed<Response>(with response: Response, _ coding: RPCMessageCoding<Response>) {
        respond { output throws in try coding.append(response, to: &output) }
    }

    @usableFromInline
    func respond(_ payload: (inout ByteBuffer) throws -> Void) {
        guard let method, !isAnswered else { return }
        // The handler has returned: whoever else may look has a reference of his own.
        let isShared = isKept
        let (id, metadata, isUsed) =
            isShared
            ? controller.withState { ($0.messageID, $0.replyMetadata, true) }
            : controller.withUnsharedState { ($0.messageID, $0.replyMetadata, $0.isUsed) }
        var info: [UInt8] = []
        if !metadata.isEmpty {
            do {
                info = try block(metadata)
            } catch {
                return fail(RPCError(.resourceExhausted, "the reply's \(error)"))
            }
        }
        isAnswered = true
        let sent = method.withName { name in
            // SAFETY: the arrays live, unchanged, until respond returns.
            unsafe connection.respond(
                id.span.bytes, name, info.span.bytes, limit: method.limits.maxResponseBytes,
                payload)
        }
        // Nobody can tell where nobody has the controller, and nobody observes it.
        if isUsed { controller.end(sent.code, responseBytes: sent.payloadBytes) }
        ended(sent.code)
    }

    /// Answers with what a handler threw. A refusal fills a response that has room for it; what
    /// has no code of its own is INTERNAL: its detail goes to the log and not on the wire.
    @usableFromInline
    func fail<Response>(_ error: any Error, in coding: RPCMessageCoding<Response>) {
        if let refusal = error as? BusinessError {
            if let response: Response = BusinessFields.fill(refusal) {
                return succeed(with: response, coding)
            }
            return fail(with: RPCError(RPCErrorCode(rawValue: refusal.code), refusal.info))
        }
        fail(with: error)
    }

    private func fail(with error: any Error) {
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

    /// Answers with that code and text; the handler may still be running.
    func fail(_ error: RPCError) {
        guard let method, !isAnswered else { return }
        isAnswered = true
        let id = messageID
        method.withName { name in
            // SAFETY: the array lives, unchanged, until send returns.
            unsafe connection.send(error, id.span.bytes, name)
        }
        controller.end(error.code)
        ended(error.code)
    }

    /// Nobody waits for the handler any more: the connection is gone, or its deadline passed.
    func abandon() {
        controller.end(.cancelled, cancelled: true)
        if isAnswered { return }
        isAnswered = true
        ended(.cancelled)
    }

    private func ended(_ code: RPCErrorCode) {
        guard let startedAt else { return }
        // Id, method and peer come from the context.
        CallContext.$current.withValue(CallContext(controller)) {
            connection.dispatcher.endsCall(startedAt, code)
        }
    }

    private func block(_ metadata: RPCMetadata) throws(MetadataTooLarge) -> [UInt8] {
        var buffer = ByteBuffer()
        try MetadataBlock.write(metadata, to: &buffer)
        return buffer.copyBytes()
    }
}
