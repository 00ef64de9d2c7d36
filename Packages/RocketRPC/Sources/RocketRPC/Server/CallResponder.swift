public import RocketBase
import RocketCodec
import RocketSystem

/// Sends exactly one reply for one incoming call, and then for the next one.
///
/// Bound to the connection's loop. A handler task has one for the calls that it awaits, a loop has
/// one for all synchronous handlers.
// SAFETY: the continuation is resumed once: `outputHasRoom` takes it away first.
@safe @usableFromInline
final class CallResponder {
    /// What the controllers of its calls refer to.
    let storage = CallStorage(isServing: true)
    // SAFETY of the unchecked two: bound to the loop, and read and written in one piece.
    /// The call's generation in the storage.
    @exclusivity(unchecked) @usableFromInline private(set) var generation: UInt64 = 0
    @exclusivity(unchecked) fileprivate(set) var isAnswered = true
    private(set) var connection: ServerConnection
    private(set) var method: MethodEntry?
    /// Whether the handler has returned.
    private(set) var isOver = true
    /// When the call has to be over.
    private(set) var deadline = CallDeadline.none
    /// Where its frame, the first in the connection's input, has the request.
    fileprivate var payload = 0..<0
    /// The bytes of the input that its frame takes.
    fileprivate var frameBytes = 0
    /// As in the storage.
    private var servingTask: Int?
    /// Of a handler that has returned while the output was full.
    private var waiting: UnsafeContinuation<Void, Never>?

    init(connection: ServerConnection) { self.connection = connection }

    /// A log line's context, and `RPCController.current`, while the handler runs.
    var context: CallContext { CallContext(storage, generation: unsafe generation) }

    /// The same for all synchronous calls of a read, which the current thread, or task, serves.
    func synchronousContext() -> CallContext {
        let task = CallStorage.currentTask
        if servingTask != task {
            servingTask = task
            storage.withState { $0.servingTask = task }
        }
        return CallContext(storage, generation: CallStorage.synchronousGeneration)
    }

    /// The same, bound before the call is known: where each awaited call has a task of its own.
    var onlyContext: CallContext {
        CallContext(storage, generation: CallStorage.onlyGeneration)
    }

    /// Starts over for the first frame in the input of `connection`.
    @inline(__always)
    func begin(
        _ frame: TinyPBFrame, _ frameBytes: Int, _ bytes: RawSpan, _ method: MethodEntry,
        of connection: ServerConnection, deadline: CallDeadline
    ) {
        if self.connection !== connection { self.connection = connection }
        if self.method !== method { self.method = method }
        unsafe isAnswered = false
        isOver = false
        self.deadline = deadline
        self.frameBytes = frameBytes
        payload = frame.payload
        storage.begin(
            frame, bytes, method, connection.peers, deadline: deadline.time,
            startedAt: connection.dispatcher.beginsCall())
    }

    /// The msg_id that its reply bears.
    var messageID: [UInt8] { storage.withState { $0.messageID } }

    // MARK: The reply

    /// Answers with that code and text; the handler may still be running.
    func answer(with error: RPCError) {
        if unsafe isAnswered { return }
        unsafe isAnswered = true
        guard let method else { return }
        connection.send(error, messageID, method)
        end(error.code)
    }

    /// Gives the call up: the connection is gone, or its caller has cancelled it.
    func abandon() {
        storage.withState { state in
            state.isCancelled = true
            state.isFinished = true
            state.isUsed = true
        }
        // A reply that waits for room is dropped.
        outputHasRoom()
        if unsafe isAnswered { return }
        unsafe isAnswered = true
        end(.cancelled)
    }

    /// Records the end for observers and the log.
    func end(_ code: RPCErrorCode, responseBytes: Int? = nil) {
        storage.end(code, responseBytes: responseBytes)
        connection.dispatcher.endsCall(self, code)
    }

    /// The handler has returned: its controllers say from now on that the call is finished.
    @inline(__always)
    func handlerReturned() {
        if isOver { return }
        storage.withState { $0.finishServing() }
        recordOver()
    }

    fileprivate func recordOver() {
        isOver = true
        unsafe generation &+= 1
    }

    // MARK: Back-pressure

    /// Suspends while the connection's output is full, until it is the turn of this reply, or the
    /// call is given up.
    fileprivate nonisolated(nonsending) func waitUntilWritable() async {
        if unsafe isAnswered { return }
        deadline = deadline.withoutOwn
        await unsafe withUnsafeContinuation { continuation in
            unsafe waiting = continuation
            connection.wait(self)
        }
    }

    /// Ends the wait: it is the turn of this reply, or it is not sent.
    ///
    /// - Returns: false where the reply does not wait (any more).
    @discardableResult
    func outputHasRoom() -> Bool {
        guard let waiting = unsafe waiting.take() else { return false }
        unsafe waiting.resume()
        return true
    }
}

extension CallStorage {
    /// Starts over for the call that came in `frame`.
    @inline(__always)
    fileprivate func begin(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ method: MethodEntry, _ peers: ConnectionPeers,
        deadline: MonotonicTime?, startedAt: MonotonicTime?
    ) {
        // Where err_code is not 0, err_info is text and no metadata.
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
            if state.isUsed { state.startOver() }
            state.isFinished = false
        }
    }
}

extension CallStorage.State {
    /// The handler has returned: controllers of its call find another generation.
    @inline(__always)
    mutating func finishServing() {
        generation &+= 1
        isFinished = true
    }
}

extension [UInt8] {
    /// Holds these bytes in place of the old ones, in the same memory where it can.
    fileprivate mutating func replace(with bytes: RawSpan) {
        // SAFETY: the pointers do not leave the closures.
        if count == bytes.byteCount {
            // As a rule: ids are of one length.
            if isEmpty { return }
            unsafe withUnsafeMutableBytes { old in
                unsafe bytes.withUnsafeBytes { unsafe old.copyMemory(from: $0) }
            }
        } else {
            removeAll(keepingCapacity: true)
            unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
        }
    }
}

/// What serving a call takes, looked up once for the calls of one connection that follow each other
/// and passed on as a parameter: a property of a class is retained and released for each use.
/// Bound to the connection's loop.
@usableFromInline
struct ServingContext {
    let connection: ServerConnection
    let transport: any Transport
    @usableFromInline let responder: CallResponder
    @usableFromInline let storage: CallStorage
    let table: MethodTable
    let limiter: ConcurrencyLimiter

    init(_ connection: ServerConnection, _ transport: any Transport, _ responder: CallResponder) {
        self.connection = connection
        self.transport = transport
        self.responder = responder
        storage = responder.storage
        table = connection.dispatcher.table
        limiter = connection.dispatcher.limiter
    }

    // MARK: The handler's side, compiled where the types of its messages are known

    /// The call as its handler sees it.
    @inlinable
    var controller: RPCController {
        RPCController(storage, generation: unsafe responder.generation)
    }

    /// Takes the call's frame out of the input, and decodes its request; nil for bytes that are no
    /// request, and the call has failed then.
    @inlinable
    func takeRequest<Request>(
        _ method: MethodEntry, _ coding: _RPCMessageCoding<Request>
    ) -> Request? {
        var request: Request?
        takeFrame { request = try? coding.message(from: $0) }
        if request == nil { failWithoutRequest(method) }
        return request
    }

    @usableFromInline
    func takeFrame(_ body: (RawSpan) -> Void) {
        transport.readInput { input in
            input.withBytes { body($0.extracting(responder.payload)) }
            input.consume(responder.frameBytes)
        }
    }

    /// Answers with what the handler returned, unless the call was given up while it ran.
    @inlinable
    func succeed<Response>(
        _ method: MethodEntry, _ response: Response, _ coding: _RPCMessageCoding<Response>
    ) {
        respond(method) { output throws in try coding.append(response, to: &output) }
    }

    @usableFromInline
    func respond(_ method: MethodEntry, _ payload: (inout ByteBuffer) throws -> Void) {
        if unsafe responder.isAnswered { return }
        unsafe responder.isAnswered = true
        if connection.respond(self, method, payload) { responder.recordOver() }
    }

    /// Answers with what the handler threw, unless the call was given up while it ran.
    @usableFromInline
    func fail<Response>(
        _ method: MethodEntry, _ error: any Error, _ coding: _RPCMessageCoding<Response>
    ) {
        if let error = error as? BusinessError, let response = coding.message(for: error) {
            return succeed(method, response, coding)
        }
        if unsafe !responder.isAnswered {
            responder.answer(with: connection.failure(for: error, of: controller))
        }
    }

    @usableFromInline
    func failWithoutRequest(_ method: MethodEntry) { responder.answer(with: method.noRequest) }

    /// Whether a reply has to wait for room in the output.
    @usableFromInline
    var mustWait: Bool { connection.isOutputFull || connection.hasWaitingReplies }

    /// Suspends until it is the turn of the call's reply.
    @usableFromInline
    nonisolated(nonsending) func waitUntilWritable() async { await responder.waitUntilWritable() }
}
