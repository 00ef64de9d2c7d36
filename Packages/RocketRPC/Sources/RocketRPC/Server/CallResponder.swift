import RocketBase
import RocketCodec
import RocketSystem

/// The obligation to answer one call: fulfilled exactly once, by `answer`.
///
/// Owned by the driver that runs the handler, bound to the connection's loop.
@usableFromInline
final class CallResponder {
    /// What the handler sees, and what `RPCController.current` is bound to while handlers run.
    /// Reused from call to call as long as nobody kept it; see `freshContext`.
    private(set) var controller = RPCController()
    /// References to the controller while no handler runs; see `ServingContext`.
    var ownReferences: UInt = 0
    private(set) var connection: ServerConnection
    @usableFromInline var isAnswered = true
    /// When it has to be over.
    private(set) var deadline = CallDeadline(
        timeoutMilliseconds: nil, own: nil, now: .distantFuture)
    /// Where its frame, the first in the connection's input, has the request.
    private(set) var payload = 0..<0
    /// What its frame takes of the input.
    private(set) var frameBytes = 0
    private var method: MethodEntry?

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
        // Nobody kept it: the last call's driver would have ended with it.
        controller.begin(frame, bytes, method, of: connection, deadline: deadline.time)
    }

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
}

// MARK: - The request

extension CallResponder {
    /// Takes its frame out of the input, and makes a message of what is in it; nil for bytes that
    /// are none, and the call has failed then.
    @inlinable
    func takeRequest<Request>(
        _ batch: ServingContext, _ method: MethodEntry, _ coding: _RPCMessageCoding<Request>
    ) -> Request? {
        var request: Request?
        takeFrame(batch) { request = try? coding.message(from: $0) }
        if request == nil { answer { batch.failWithoutRequest(method) } }
        return request
    }

    @usableFromInline
    func takeFrame(_ batch: ServingContext, _ body: (RawSpan) -> Void) {
        batch.link.readInput { input in
            input.withBytes { body($0.extracting(payload)) }
            input.consume(frameBytes)
        }
    }
}

// MARK: - The answer

extension CallResponder {
    /// Runs `body`, which answers, unless the call was answered or given up while its handler ran.
    @inlinable @inline(__always)
    func answer(_ body: () -> Void) {
        if isAnswered { return }
        isAnswered = true
        body()
    }

    /// Answers with that code and text; the handler is still running.
    func fail(_ error: RPCError) {
        guard let method else { return }
        answer { connection.fail(controller, method, error) }
    }

    /// Nobody waits for the handler any more: the connection is gone, or its deadline passed.
    func abandon() {
        controller.end(.cancelled, cancelled: true)
        answer { connection.dispatcher.endsCall(controller, .cancelled) }
    }
}
