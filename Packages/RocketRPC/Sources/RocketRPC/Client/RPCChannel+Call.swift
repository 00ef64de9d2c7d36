import RocketBase
public import RocketCodec
public import RocketRuntime
import RocketSystem
import SwiftProtobuf

extension RPCChannel {
    /// Calls a method and waits for its response.
    ///
    /// - Parameters:
    ///   - timeout: how long it may take, all attempts together; nil means the channel's default.
    ///     A call made from a handler never outlasts the call that the handler answers.
    ///   - metadata: travels beside the request; at most 511 bytes in all. With `idempotency-key`
    ///     the call is sent again also where it may have been processed.
    /// - Throws: `RPCError`: what the server answered, ERROR_RPC_CALL_TIMEOUT, CANCELLED when the
    ///   task was cancelled, ERROR_FAILED_GET_REPLY when the connection ended,
    ///   ERROR_PEER_CLOSED or ERROR_FAILED_CONNECT when there was none to be had,
    ///   RESOURCE_EXHAUSTED when too many calls wait already (`maxCallsInFlight`,
    ///   `maxCallsWaiting`, the loop's `taskLimit`).
    @inlinable
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, timeout: Duration? = nil,
        metadata: RPCMetadata = [:], options: RPCCallOptions = .init()
    ) async throws(RPCError) -> Response {
        if !interceptors.isEmpty {
            return try await call(
                method, request,
                RPCController(timeout: timeout, metadata: metadata, options: options))
        }
        // Compiled where the messages are known; the rest of the way knows no types.
        let call = method.call(request)
        try prepare(call, timeout, metadata, options)
        await unsafe suspendTask {
            give(up: call)
        } _: { continuation in
            unsafe start(call, continuation)
        }
        try check(call)
        return method.response(of: call)
    }

    /// Calls a method and waits for its response; `controller` says how, and what became of it.
    ///
    /// - Parameter controller: for one call at a time.
    /// - Throws: as above.
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ controller: RPCController
    ) async throws(RPCError) -> Response {
        let (timeout, options) = controller.terms
        let parent = options.inheritsContext ? RPCController.current : nil
        let deadline = deadline(timeout, parent)
        controller.start(method.fullName, deadline: deadline)
        do throws(RPCError) {
            let response = try await intercepted(method, request, deadline, options, controller)
            controller.end(RPCErrorCode(rawValue: 0))
            return response
        } catch {
            controller.end(error.code)
            throw error
        }
    }

    private func intercepted<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ deadline: MonotonicTime,
        _ options: RPCCallOptions, _ controller: RPCController
    ) async throws(RPCError) -> Response {
        if interceptors.isEmpty {
            return try await send(
                method, request, deadline, controller.requestMetadata, options, controller)
        }
        let chain = interceptors.around { [self] request, call in
            try await send(method, request, deadline, call.requestMetadata, options, call)
        }
        do {
            return try await chain(request, controller)
        } catch {
            throw error as? RPCError ?? RPCError(.internal, "an interceptor failed", cause: error)
        }
    }

    // MARK: One call over the wire

    private func send<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ deadline: MonotonicTime,
        _ metadata: RPCMetadata, _ options: RPCCallOptions, _ controller: RPCController
    ) async throws(RPCError) -> Response {
        let messages = CallPayload<Request, Response>(request)
        let call = OutgoingCall(method.kind, messages)
        call.controller = controller
        let parent = options.inheritsContext ? RPCController.current : nil
        unsafe call.terms.deadline = deadline
        try unsafe call.terms.take(metadata, options, parent)
        await unsafe suspendTask {
            give(up: call)
        } _: { continuation in
            unsafe start(call, continuation)
        }
        try check(call)
        return unsafe messages.response
    }

    @usableFromInline
    func prepare(
        _ call: OutgoingCall, _ timeout: Duration?, _ metadata: RPCMetadata,
        _ options: RPCCallOptions
    ) throws(RPCError) {
        let parent = options.inheritsContext ? RPCController.current : nil
        unsafe call.terms.deadline = deadline(timeout, parent)
        try unsafe call.terms.take(metadata, options, parent)
    }

    /// Hands the call over; `continuation` is resumed at its end.
    @unsafe @usableFromInline
    func start(_ call: OutgoingCall, _ continuation: UnsafeContinuation<Void, Never>) {
        unsafe call.begin(waiting: continuation)
        call.controller?.canBeCancelled { [self] in give(up: call) }
        pass(call)
    }

    /// After its end.
    @usableFromInline
    func check(_ call: OutgoingCall) throws(RPCError) {
        if call.hasFailed, let error = call.error {
            throw error.about(
                method: String(decoding: call.kind.methodName, as: UTF8.self), peer: target)
        }
    }

    @usableFromInline
    func give(up call: OutgoingCall) {
        call.cancel()
        pass(.cancel(call))
    }

    /// The call's own, or what is left of the handler's that makes it, whichever comes first.
    private func deadline(_ timeout: Duration?, _ parent: RPCController?) -> MonotonicTime {
        let now = time.monotonic()
        let own = timeout.map { now + $0 } ?? now.later(by: timeoutNanoseconds)
        guard let inherited = parent?.deadline else { return own }
        return min(own, inherited)
    }
}

extension CallParameters {
    /// Of terms that are as they were at first; writes only what differs.
    ///
    /// - Parameter parent: the call whose handler makes this one.
    fileprivate mutating func take(
        _ metadata: RPCMetadata, _ options: RPCCallOptions, _ parent: RPCController?
    ) throws(RPCError) {
        waitsForReady = options.waitsForReady
        isIdempotent = options.isIdempotent
        if !metadata.isEmpty {
            self.metadata = metadata
            if metadata["idempotency-key"] != nil { isIdempotent = true }
        }
        if options.messageID != nil || parent != nil {
            idChoice = try CallIDChoice(options, parent: parent)
            if let parent { self.metadata = parent.addingTrace(to: metadata) }
        }
    }
}

extension CallIDChoice {
    fileprivate init(_ options: RPCCallOptions, parent: RPCController?) throws(RPCError) {
        if let text = options.messageID {
            let bytes = [UInt8](text.utf8)
            // SAFETY: the array lives, unchanged, until the id is made.
            guard let id = CallID(unsafe bytes.span.bytes) else {
                throw RPCError(
                    .failedEncode,
                    "the msg_id has \(bytes.count) bytes; \(TinyPBLimits.maxMessageIDBytes) are allowed"
                )
            }
            self = .chosen(id)
        } else if let id = parent?.callID {
            self = .inherited(id)
        } else {
            self = .fresh
        }
    }
}
