public import RocketBase
import RocketCodec
import RocketRuntime
import RocketSystem

/// Sends exactly one reply for one incoming call, and is then reused for the next call.
///
/// Bound to the connection's loop. A handler task has one for the calls that it awaits, a loop has
/// one for all synchronous handlers.
// SAFETY: the continuation is resumed once: `outputHasRoom` sets it to nil first.
@safe @usableFromInline
final class CallResponder {
    /// The state that the controllers of its calls refer to.
    let storage = CallStorage(isServing: true)
    // SAFETY: both unchecked properties are bound to the loop; each access is one load or store.
    /// The call's generation in the storage.
    @exclusivity(unchecked) @usableFromInline private(set) var generation: UInt64 = 0
    @exclusivity(unchecked) fileprivate(set) var isAnswered = true
    private(set) var connection: ServerConnection
    private(set) var method: _MethodEntry?
    /// Whether the handler has returned.
    private(set) var isOver = true
    /// The call's deadline.
    private(set) var deadline = CallDeadline.none
    /// What the admission control has recorded of the call.
    var admitted = AdmittedCall()
    /// What is measured of the call, if the server records calls.
    // SAFETY of both: bound to the loop, and nothing that runs inside an access uses the responder.
    @exclusivity(unchecked) var measured = MeasuredCall()
    /// Whether the stages of the call are measured.
    @exclusivity(unchecked) @usableFromInline var isTraced = false
    /// The text of the error that ends the call, until its end is recorded.
    var failure = ""
    /// The record of the call, which is traced then, if the call is recorded.
    @exclusivity(unchecked) var record: CallRecord?
    /// The range of the request within the call's frame, which is the first in the input.
    fileprivate var payload = 0..<0
    /// The size of the call's frame.
    fileprivate var frameBytes = 0
    /// The same as `servingTask` in the storage.
    private var servingTask: Int?
    /// The stream of the current call, if it has one.
    var stream: CallStream?
    /// The continuation of a handler that has returned while the output was full.
    private var waiting: UnsafeContinuation<Void, Never>?

    init(connection: ServerConnection) { self.connection = connection }

    /// The context of log lines and of `RPCController.current` while the handler runs.
    var context: CallContext { CallContext(storage, generation: unsafe generation) }

    /// The context of all synchronous calls of one read, served by the current thread or task.
    func synchronousContext() -> CallContext {
        let task = CallStorage.currentTask
        if servingTask != task {
            servingTask = task
            storage.withState { $0.servingTask = task }
        }
        return CallContext(storage, generation: CallStorage.synchronousGeneration)
    }

    /// The context of a task that awaits a single call; bound before the call has begun.
    var onlyContext: CallContext {
        CallContext(storage, generation: CallStorage.onlyGeneration)
    }

    /// Begins the call in the first frame of the input of `connection`.
    @inline(__always)
    func begin(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ method: _MethodEntry,
        of connection: ServerConnection, _ peers: ConnectionPeers, deadline: CallDeadline
    ) {
        if self.connection !== connection { self.connection = connection }
        if self.method !== method { self.method = method }
        unsafe isAnswered = false
        unsafe generation &+= 1
        isOver = false
        self.deadline = deadline
        frameBytes = frame.byteCount
        payload = frame.payload
        storage.begin(
            frame, bytes, method, peers, deadline: deadline.time,
            startedAt: connection.dispatcher.beginsCall())
    }

    /// The size of the request.
    var requestBytes: Int { payload.count }

    /// The msg_id of the reply.
    var messageID: [UInt8] { storage.withState { $0.messageID } }

    // MARK: The reply

    /// Sends an error as the reply; the handler may still be running.
    func answer(with error: RPCError) {
        if unsafe isAnswered { return }
        unsafe isAnswered = true
        guard let method else { return }
        if unsafe isTraced { unsafe record?.failed(error) }
        let (id, trailing) = storage.withState { ($0.messageID, $0.trailingMetadata) }
        connection.send(error, id, method, trailing: trailing)
        if connection.metrics != nil { failure = error.message }
        // A call that was too slow says more of the load than one that has ended in time.
        if error.code != .callTimeout { admitted.isSample = false }
        end(error.code)
    }

    private static let abandoned = "cancelled by the caller, or its connection was lost"

    /// Cancels the call, because its connection is closed or its caller has cancelled it.
    func abandon() {
        admitted.isSample = false
        storage.withState { state in
            state.isCancelled = true
            state.isFinished = true
            storage.use()
        }
        // A reply that waits for room is dropped.
        outputHasRoom()
        if let stream { connection.closeStream(stream) }
        if unsafe isAnswered { return }
        unsafe isAnswered = true
        if connection.metrics != nil { failure = Self.abandoned }
        end(.cancelled)
    }

    /// Records the end for observers and the log.
    func end(_ code: RPCErrorCode, responseBytes: Int? = nil) {
        if let metrics = connection.metrics, let method {
            metrics.ended(self, method, code, responseBytes: responseBytes ?? 0)
        }
        storage.end(code, responseBytes: responseBytes)
        connection.dispatcher.endsCall(self, code)
    }

    /// Ends the call after its handler has returned: from now on its controllers are finished.
    @inline(__always)
    func handlerReturned() {
        if admitted.startedAt != 0 { connection.scheduler?.admission?.ended(self) }
        if isOver { return }
        storage.endGeneration()
        recordOver()
    }

    fileprivate func recordOver() {
        isOver = true
        if stream != nil { stream = nil }
        unsafe generation &+= 1
    }

    /// A stage of a call has ended that is traced.
    func ended(_ stage: MeasuredCall.Stage) { connection.metrics?.ended(stage, of: self) }

    /// The handler has returned, and its reply waits for a peer that reads slowly. From here on the call
    /// is traced: it may become slow, and the wait must not be taken for the handler's time.
    func waitsForOutput() {
        guard let metrics = connection.metrics else { return }
        metrics.trace(self)
        metrics.ended(.handler, of: self)
    }

    // MARK: Back-pressure

    /// Suspends while the connection's output is full, until this reply is the next to be sent or
    /// the call is cancelled.
    fileprivate nonisolated(nonsending) func waitUntilWritable() async {
        if unsafe isAnswered { return }
        deadline = deadline.withoutOwn
        admitted.isSample = false
        waitsForOutput()
        await unsafe withUnsafeContinuation { continuation in
            unsafe waiting = continuation
            connection.wait(self)
        }
        if unsafe isTraced { ended(.outputWait) }
    }

    /// Ends the wait: it is the turn of this reply, or it is not sent.
    ///
    /// - Returns: false if the reply is not waiting.
    @discardableResult
    func outputHasRoom() -> Bool {
        guard let waiting = unsafe waiting.take() else { return false }
        unsafe waiting.resume()
        return true
    }
}

extension CallStorage {
    /// Resets the state for the call in `frame`.
    @inline(__always)
    fileprivate func begin(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ method: _MethodEntry, _ peers: ConnectionPeers,
        deadline: MonotonicTime?, startedAt: MonotonicTime?
    ) {
        // If err_code is not 0, err_info contains text and not metadata.
        let metadata = bytes.extracting(frame.errorCode == 0 ? frame.errorInfo : 0..<0)
        withState { state in
            state.messageID.replace(with: bytes.extracting(frame.messageID))
            state.requestMetadata.replace(with: metadata)
            if state.entry !== method {
                state.entry = method
                state.method = method.fullName
            }
            if state.peers !== peers { state.peers = peers }
            state.deadline = deadline
            state.startedAt = startedAt
            state.requestBytes = frame.payload.count
            beginGeneration(&state, isLogged: startedAt != nil)
        }
    }
}

extension [UInt8] {
    /// Replaces the contents with `bytes`, in the same memory if possible.
    @inline(__always)
    fileprivate mutating func replace(with bytes: RawSpan) {
        if isEmpty, bytes.byteCount == 0 { return }
        copy(bytes)
    }

    private mutating func copy(_ bytes: RawSpan) {
        // SAFETY: the pointers do not escape the closures.
        if count == bytes.byteCount {
            // The usual case: ids have the same length.
            unsafe withUnsafeMutableBytes { old in
                unsafe bytes.withUnsafeBytes { unsafe old.copyMemory(from: $0) }
            }
        } else {
            removeAll(keepingCapacity: true)
            unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
        }
    }
}

/// The objects needed to serve calls, loaded once for consecutive calls of one connection and
/// passed on as a parameter: each use of a class's property would retain and release it. Bound to
/// the connection's loop. Public for generated code only.
public struct _ServingContext {
    let connection: ServerConnection
    let transport: any Transport
    @usableFromInline let responder: CallResponder
    @usableFromInline let storage: CallStorage
    let table: MethodTable
    let limiter: ConcurrencyLimiter
    let peers: ConnectionPeers
    /// Nil: calls are not recorded.
    let metrics: LoopMetrics?

    init(_ connection: ServerConnection, _ transport: any Transport, _ responder: CallResponder) {
        self.connection = connection
        self.transport = transport
        self.responder = responder
        storage = responder.storage
        table = connection.scheduler?.table ?? connection.dispatcher.table
        limiter = connection.dispatcher.limiter
        peers = connection.peers
        metrics = connection.metrics
    }

    /// Awaits the handler of the call that has begun, with the call's context bound. Only if
    /// `TaskLocalBinding.isAvailable`.
    @inline(__always)
    nonisolated(nonsending) func serveBound(
        _ serve: _MethodEntry.Awaited, _ method: _MethodEntry
    ) async {
        // SAFETY: pushed and popped in the same task and scope; nothing in between throws or
        // returns.
        unsafe TaskLocalBinding.push(CallContext.$current, responder.context)
        await serve(self, method)
        unsafe TaskLocalBinding.pop()
    }

    // MARK: Used by handlers, specialized in the module of their message types

    /// Serves the call that has begun: decodes its request, awaits `handler`, and sends the reply.
    /// Goes on with the calls behind it as long as they are of the same method.
    ///
    /// Inlined, together with the handler, into the closure that generated code registers.
    @inlinable @inline(__always)
    public nonisolated(nonsending) func _serve<Request, Response>(
        _ entry: _MethodEntry, _ method: RPCMethod<Request, Response>,
        _ handler: nonisolated(nonsending) (Request, RPCController) async throws -> Response
    ) async {
        var request: Request?
        takeFrame { request = try? method.request.message(from: $0) }
        repeat {
            guard let request = request.take() else {
                failWithoutRequest(entry)
                continue
            }
            do {
                let response = try await handler(request, controller)
                if mustWait { await waitUntilWritable() }
                succeed(entry, response, method.response)
            } catch {
                fail(entry, error, method.response)
            }
        } while beginsNext(entry, { request = try? method.request.message(from: $0) })
    }

    @usableFromInline
    func beginsNext(_ method: _MethodEntry, _ decode: (RawSpan) -> Void) -> Bool {
        connection.scheduler?.beginsNext(self, method, decode) ?? false
    }

    /// The controller that the handler receives.
    @inlinable
    var controller: RPCController {
        RPCController(storage, generation: unsafe responder.generation)
    }

    /// Consumes the call's frame from the input and decodes its request. Fails the call and returns
    /// nil if the payload is not a valid request.
    @inlinable
    func takeRequest<Request>(
        _ method: _MethodEntry, _ coding: _RPCMessageCoding<Request>
    ) -> Request? {
        var request: Request?
        takeFrame { request = try? coding.message(from: $0) }
        if request == nil { failWithoutRequest(method) }
        return request
    }

    /// Consumes the call's frame, which is left in the input.
    @usableFromInline
    func takeFrame(_ body: (RawSpan) -> Void) {
        transport.readInput { input in
            input.withBytes { body($0.extracting(responder.payload)) }
            input.consume(responder.frameBytes)
        }
        requestDecoded()
    }

    /// The handler's turn begins.
    @inlinable @inline(__always)
    func requestDecoded() { if unsafe responder.isTraced { recordDecoded() } }

    @usableFromInline
    func recordDecoded() { responder.ended(.decoding) }

    /// Sends the response of the handler, unless the call has ended while the handler ran.
    ///
    /// - Parameter id: the call's msg_id, if its frame is still in the input.
    @inlinable
    func succeed<Response>(
        _ method: _MethodEntry, _ response: Response, _ coding: _RPCMessageCoding<Response>,
        _ id: RawSpan? = nil
    ) {
        respond(method, id) { output, longFields throws in
            try coding.append(response, to: &output, longFields)
        }
    }

    @usableFromInline
    func respond(
        _ method: _MethodEntry, _ id: RawSpan?,
        _ payload: (inout ByteBuffer, LongFields?) throws -> Void
    ) {
        if unsafe responder.isAnswered { return }
        unsafe responder.isAnswered = true
        let isTraced = unsafe responder.isTraced
        if isTraced { responder.ended(.handler) }
        // A record has the bytes of the reply.
        let isRecorded = unsafe isTraced && responder.record != nil
        let longFields = isRecorded ? nil : connection.longFields
        if connection.respond(self, method, id, longFields, payload) { responder.recordOver() }
    }

    /// Sends the error of the handler, unless the call has ended while the handler ran.
    @usableFromInline
    func fail<Response>(
        _ method: _MethodEntry, _ error: any Error, _ coding: _RPCMessageCoding<Response>
    ) {
        if let error = error as? BusinessError, let response = coding.message(for: error) {
            return succeed(method, response, coding)
        }
        if unsafe !responder.isAnswered {
            if unsafe responder.isTraced { responder.ended(.handler) }
            responder.answer(with: connection.failure(for: error, of: controller))
        }
    }

    @usableFromInline
    func failWithoutRequest(_ method: _MethodEntry) { responder.answer(with: method.noRequest) }

    /// Whether a reply must wait for room in the output.
    @usableFromInline
    var mustWait: Bool { connection.isOutputFull || connection.hasWaitingReplies }

    /// Suspends until the call's reply is the next to be sent.
    @usableFromInline
    nonisolated(nonsending) func waitUntilWritable() async { await responder.waitUntilWritable() }
}
