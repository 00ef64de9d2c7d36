import RocketBase
public import RocketCodec
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
    ///   ERROR_PEER_CLOSED or ERROR_FAILED_CONNECT when there was none to be had.
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, timeout: Duration? = nil,
        metadata: RPCMetadata = [:], options: RPCCallOptions = .init()
    ) async throws(RPCError) -> Response {
        if !interceptors.isEmpty {
            return try await call(
                method, request,
                RPCController(timeout: timeout, metadata: metadata, options: options))
        }
        return try await send(
            method, request, deadline(timeout, options), metadata, options, nil)
    }

    /// Calls a method and waits for its response; `controller` says how, and what became of it.
    ///
    /// - Parameter controller: for one call at a time.
    /// - Throws: as above.
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ controller: RPCController
    ) async throws(RPCError) -> Response {
        let (timeout, options) = controller.terms
        let deadline = deadline(timeout, options)
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

    /// The call's own, or what is left of the handler's that makes it, whichever comes first.
    private func deadline(_ timeout: Duration?, _ options: RPCCallOptions) -> MonotonicTime {
        let own = time.monotonic() + (timeout ?? configuration.timeout)
        guard options.inheritsContext, let inherited = RPCController.current?.deadline else {
            return own
        }
        return min(own, inherited)
    }

    /// One call over the wire.
    private func send<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ deadline: MonotonicTime,
        _ metadata: RPCMetadata, _ options: RPCCallOptions, _ controller: RPCController?
    ) async throws(RPCError) -> Response {
        let parent = options.inheritsContext ? RPCController.current : nil
        let call = UnaryCall(
            method, request, metadata: parent?.addingTrace(to: metadata) ?? metadata,
            deadline: deadline, options: options,
            idChoice: try CallIDChoice(options, parent: parent), controller: controller)
        await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation {
                (continuation: UnsafeContinuation<Void, Never>) in
                unsafe call.wait(with: continuation)
                controller?.canBeCancelled { [self] in give(up: call) }
                pass(.start(call))
            }
        } onCancel: {
            give(up: call)
        }
        switch call.result() {
        case .success(let response): return response
        case .failure(let error):
            throw error.about(method: method.fullName, peer: target)
        }
    }

    private func give<Request, Response>(up call: UnaryCall<Request, Response>) {
        call.cancel()
        pass(.cancel(call))
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
                    "the msg_id has \(bytes.count) bytes; \(TinyPB.maxMessageIDBytes) are allowed")
            }
            self = .chosen(id)
        } else if let id = parent?.callID {
            self = .inherited(id)
        } else {
            self = .fresh
        }
    }
}
