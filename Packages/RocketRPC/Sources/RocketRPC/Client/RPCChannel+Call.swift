import RocketBalancing
public import RocketBase
public import RocketCodec
public import RocketRuntime
import RocketSystem
import Synchronization
import SwiftProtobuf

// An outgoing call goes one way, with a controller and without: `send` takes a call object, sets
// its parameters (`prepare`), suspends the task until the call has ended (`start`), and returns the
// response or throws (`check`). A controller adds the interceptors before that and the report of
// the end after it.

extension RPCChannel {
    /// Calls a method and waits for its response.
    ///
    /// - Parameters:
    ///   - timeout: how long the call may take, all attempts together; nil: that of the method's
    ///     policy (`RPCChannelConfiguration.methods`), or the channel's default.
    ///     A call made in a handler never outlasts the call that the handler serves.
    ///   - metadata: sent beside the request; at most 511 bytes in all, or 8 KiB to a server that
    ///     takes it. With `idempotency-key` the call is also sent again when the server may have
    ///     processed it.
    /// - Throws: `RPCError`: the server's error, ERROR_RPC_CALL_TIMEOUT, CANCELLED when the task
    ///   was cancelled, ERROR_FAILED_GET_REPLY when the connection ended before the reply,
    ///   ERROR_FAILED_CONNECT when no connection could be made, ERROR_PEER_CLOSED when the last one
    ///   was closed before any reply, ERROR_FAILED_ENCODE when the request can't be sent to this
    ///   server (its size, its metadata), RESOURCE_EXHAUSTED when the reply is over the frame limit,
    ///   RESOURCE_EXHAUSTED when too many calls are pending (`maxCallsInFlight`,
    ///   `maxCallsWaiting`, the loop's `taskLimit`).
    @inlinable
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, timeout: Duration? = nil,
        metadata: RPCMetadata = [:], options: RPCCallOptions = .init()
    ) async throws(RPCError) -> Response {
        if interceptors.isEmpty {
            return try await send(method, request, timeout, metadata, options)
        }
        return try await call(
            method, request, RPCController(timeout: timeout, metadata: metadata, options: options))
    }

    /// Calls a method and waits for its response. `controller` holds the call's parameters before
    /// the call, and its outcome afterwards.
    ///
    /// - Parameter controller: made for it, and used by one call at a time.
    /// - Throws: as above; INTERNAL for the controller of a call that is being served.
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ controller: RPCController
    ) async throws(RPCError) -> Response {
        if controller.storage.isServing {
            throw RPCError(
                .internal,
                "the controller belongs to a call that is served here; make one for this call")
        }
        let (timeout, options) = controller.terms
        let policy = policy(of: method.erased)
        controller.start(
            method.fullName,
            deadline: deadline(timeout ?? policy?.policy.timeout, Self.parent(options)))
        do throws(RPCError) {
            let response = try await intercepted(method, request, options, controller)
            controller.end(RPCErrorCode(rawValue: 0))
            return response
        } catch {
            controller.end(error.code)
            throw error
        }
    }

    private func intercepted<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ options: RPCCallOptions,
        _ controller: RPCController
    ) async throws(RPCError) -> Response {
        if interceptors.isEmpty {
            return try await send(
                method, request, nil, controller.requestMetadata, options, controller)
        }
        let chain = interceptors.around { [self] request, call in
            try await send(method, request, nil, call.requestMetadata, options, call)
        }
        do {
            return try await chain(request, controller)
        } catch {
            throw error as? RPCError ?? RPCError(.internal, "an interceptor failed", cause: error)
        }
    }

    /// Makes the call, without interceptors. Compiled where the types of the messages are known;
    /// nothing below it knows them.
    ///
    /// Always inlined: as a function of its own it would add an async frame to each call.
    @inlinable @inline(__always)
    func send<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ timeout: Duration?,
        _ metadata: RPCMetadata, _ options: RPCCallOptions, _ controller: RPCController? = nil
    ) async throws(RPCError) -> Response {
        let call = method.call(request)
        try prepare(call, timeout, metadata, options, controller)
        await unsafe suspendTask {
            cancel(call)
        } _: { continuation in
            unsafe start(call, continuation)
        }
        try check(call)
        return method.response(of: call)
    }

    /// Sets the parameters of a call. The deadline of a call with a controller was set when the
    /// controller was started, before the interceptors.
    @usableFromInline
    func prepare(
        _ call: OutgoingCall, _ timeout: Duration?, _ metadata: RPCMetadata,
        _ options: RPCCallOptions, _ controller: RPCController?
    ) throws(RPCError) {
        let parent = Self.parent(options)
        let policy = policy(of: call.method)
        if let controller {
            call.controller = controller
            unsafe call.parameters.deadline = controller.deadline
        } else {
            unsafe call.parameters.deadline = deadline(timeout ?? policy?.policy.timeout, parent)
        }
        try call.set(metadata, options, parent, policy)
    }

    /// Sets the parameters of several calls of one method, which have all of them in common.
    @usableFromInline
    func prepare(
        _ calls: ContiguousArray<OutgoingCall>, _ timeout: Duration?, _ metadata: RPCMetadata,
        _ options: RPCCallOptions
    ) throws(RPCError) {
        guard let method = calls.first?.method else { return }
        let parent = Self.parent(options)
        let policy = policy(of: method)
        let deadline = deadline(timeout ?? policy?.policy.timeout, parent)
        for call in calls {
            unsafe call.parameters.deadline = deadline
            try call.set(metadata, options, parent, policy)
        }
    }

    /// Hands the call to the channel's loop; `continuation` is resumed when the call has ended.
    @unsafe @usableFromInline
    func start(_ call: OutgoingCall, _ continuation: UnsafeContinuation<Void, Never>) {
        unsafe call.begin(resuming: continuation)
        call.controller?.canBeCancelled { [self] in cancel(call) }
        enqueueStart(call, isTask: true)
    }

    /// Throws the error of a call that has failed. After its end.
    @usableFromInline
    func check(_ call: OutgoingCall) throws(RPCError) {
        if call.hasFailed, let error = call.error {
            throw error.about(
                method: String(decoding: call.method.methodName, as: UTF8.self), peer: target)
        }
    }

    @usableFromInline
    func cancel(_ call: OutgoingCall) {
        call.cancel()
        enqueueCancel(call)
    }

    /// The call whose handler makes this one, where the options let the call inherit from it.
    private static func parent(_ options: RPCCallOptions) -> RPCController? {
        options.inheritsContext ? RPCController.current : nil
    }

    /// The call's own deadline or that of its parent, whichever is earlier.
    private func deadline(_ timeout: Duration?, _ parent: RPCController?) -> MonotonicTime {
        let now = now
        let own = timeout.map { now + $0 } ?? now.later(by: defaultTimeout.load(ordering: .relaxed))
        guard let inherited = parent?.deadline else { return own }
        return min(own, inherited)
    }
}

extension OutgoingCall {
    /// Sets all parameters but the deadline.
    fileprivate func set(
        _ metadata: RPCMetadata, _ options: RPCCallOptions, _ parent: RPCController?,
        _ policy: MethodPolicy?
    ) throws(RPCError) {
        try unsafe parameters.set(metadata, options, parent)
        if let policy {
            self.policy = policy
            if policy.policy.isIdempotent { unsafe parameters.isIdempotent = true }
        }
    }
}

extension CallParameters {
    /// Sets all but the deadline, in parameters that have their defaults. Writes only what differs.
    ///
    /// - Parameter parent: the call whose handler makes this one.
    fileprivate mutating func set(
        _ metadata: RPCMetadata, _ options: RPCCallOptions, _ parent: RPCController?
    ) throws(RPCError) {
        waitsForReady = options.waitsForReady
        isIdempotent = options.isIdempotent
        if let key = options.balancingKey { balancingKey = StableHash.of(key) }
        compressesRequest = options.compressesRequest
        if !metadata.isEmpty {
            self.metadata = metadata
            if metadata["idempotency-key"] != nil { isIdempotent = true }
        }
        if options.messageID != nil || parent != nil {
            idChoice = try CallIDChoice(options, parent: parent)
            if let parent { self.metadata = parent.addingInherited(to: metadata) }
        }
    }
}

extension CallIDChoice {
    fileprivate init(_ options: RPCCallOptions, parent: RPCController?) throws(RPCError) {
        if let text = options.messageID {
            // The frames of a server itself have an empty one.
            if text.isEmpty { throw RPCError(.failedEncode, "the msg_id is empty") }
            let bytes = [UInt8](text.utf8)
            // SAFETY: the array lives, unchanged, until the id is made.
            guard let id = CallID(unsafe bytes.span.bytes) else {
                throw RPCError(
                    .failedEncode,
                    "the msg_id has \(bytes.count) bytes; the limit is \(TinyPBLimits.maxMessageIDBytes)"
                )
            }
            self = .chosen(id)
        } else if let id = parent?.callID, id.count > 0 {
            self = .inherited(id)
        } else {
            self = .fresh
        }
    }
}
