/// An interceptor that also wraps streaming calls. A server with a streaming method, and a channel
/// that makes a streaming call, need all their interceptors to be of this kind: one that checks
/// calls must not be left out by some of them.
public protocol RPCStreamInterceptor: RPCInterceptor {
    /// Handles a streaming call, normally by calling `next` once.
    ///
    /// - Parameters:
    ///   - call: on a server the call that the handler receives; on a channel the outgoing call,
    ///     whose `requestMetadata` may be changed before `next`.
    ///   - next: on a server it returns when the handler has returned; on a channel when the call
    ///     has been begun (see `RPCController.onEnd` for its end).
    nonisolated(nonsending) func interceptStream(
        _ call: RPCController, next: nonisolated(nonsending) () async throws -> Void
    ) async throws
}

extension RPCCallObserver {
    /// Observes the call and passes it on.
    public nonisolated(nonsending) func interceptStream(
        _ call: RPCController, next: nonisolated(nonsending) () async throws -> Void
    ) async throws {
        observe(call)
        try await next()
    }
}

extension [any RPCStreamInterceptor] {
    /// Runs `body`, wrapped by all of these; the first one is the outermost.
    nonisolated(nonsending) func around(
        _ call: RPCController, from index: Int = 0,
        _ body: nonisolated(nonsending) () async throws -> Void
    ) async throws {
        if index == count { return try await body() }
        try await self[index].interceptStream(call) {
            try await around(call, from: index + 1, body)
        }
    }
}

extension [any RPCInterceptor] {
    /// All of these as interceptors of streams.
    ///
    /// - Throws: the type of the first one that is none.
    func forStreams() throws(NoStreamInterceptor) -> [any RPCStreamInterceptor] {
        var found: [any RPCStreamInterceptor] = []
        for interceptor in self {
            guard let stream = interceptor as? any RPCStreamInterceptor else {
                throw NoStreamInterceptor(type: "\(type(of: interceptor))")
            }
            found.append(stream)
        }
        return found
    }
}

/// An interceptor can't wrap streaming calls.
struct NoStreamInterceptor: Error, CustomStringConvertible {
    let type: String

    var description: String {
        "the interceptor \(type) is no RPCStreamInterceptor, so it can't wrap streaming calls"
    }
}

// MARK: - Registration

extension RPCServiceRegistry {
    /// Adds a method with a stream of requests and one response, which the handler returns.
    ///
    /// - Throws: the errors of `add` for other methods; `RPCRegistrationError` if an interceptor is
    ///   no `RPCStreamInterceptor`, or the method is of another kind.
    public mutating func add<Request, Response>(
        clientStreaming method: RPCMethod<Request, Response>,
        _ handler: @escaping RPCClientStreamingHandler<Request, Response>
    ) throws {
        let interceptors = try streamInterceptors(method, .clientStreaming)
        try append(
            method,
            .awaited { context, entry in
                await context.serveStream(entry, method, interceptors) { handle, _, call in
                    try await handler(RPCMessageStream(handle, method.request), call)
                }
            })
    }

    /// Adds a method with one request and a stream of responses, which the handler's return ends.
    ///
    /// - Throws: as above.
    public mutating func add<Request, Response>(
        serverStreaming method: RPCMethod<Request, Response>,
        _ handler: @escaping RPCServerStreamingHandler<Request, Response>
    ) throws {
        let interceptors = try streamInterceptors(method, .serverStreaming)
        try append(
            method,
            .awaited { context, entry in
                await context.serveStream(entry, method, interceptors) { handle, request, call in
                    if let request {
                        try await handler(request, RPCWriter(handle, method.response), call)
                    }
                    return nil
                }
            })
    }

    /// Adds a method with a stream of requests and a stream of responses, which the handler's return
    /// ends.
    ///
    /// - Throws: as above.
    public mutating func add<Request, Response>(
        bidirectional method: RPCMethod<Request, Response>,
        _ handler: @escaping RPCBidirectionalHandler<Request, Response>
    ) throws {
        let interceptors = try streamInterceptors(method, .bidirectionalStreaming)
        try append(
            method,
            .awaited { context, entry in
                await context.serveStream(entry, method, interceptors) { handle, _, call in
                    try await handler(
                        RPCMessageStream(handle, method.request),
                        RPCWriter(handle, method.response), call)
                    return nil
                }
            })
    }

    private func streamInterceptors<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ kind: RPCMethodKind
    ) throws(RPCRegistrationError) -> [any RPCStreamInterceptor] {
        guard method.kind == kind else {
            throw RPCRegistrationError(
                description: "'\(method.fullName)' is \(method.kind), and its handler \(kind)")
        }
        do throws(NoStreamInterceptor) {
            return try interceptors.forStreams()
        } catch {
            throw RPCRegistrationError(description: "'\(method.fullName)': \(error)")
        }
    }
}
