public import SwiftProtobuf

/// Wraps every call of a server or of a channel: receives the request before the handler, the
/// response or the error after it, and may answer the call itself.
///
/// ```swift
/// struct Authentication: RPCInterceptor {
///     func intercept<Request, Response>(
///         _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
///     ) async throws -> Response {
///         guard call.requestMetadata["x-token"] == token else {
///             throw RPCError(.unauthenticated, "no valid token")
///         }
///         return try await next(request, call)
///     }
/// }
/// ```
///
/// The first interceptor is the outermost. A server composes them once, at registration: without
/// interceptors a call has no overhead. A server's interceptors run on the connection's loop, a
/// channel's on the task that makes the call.
///
/// An interceptor that only observes calls conforms to `RPCCallObserver` instead.
public protocol RPCInterceptor: Sendable {
    /// Handles a call, normally by calling `next` once and returning its result.
    ///
    /// - Parameter call: on a server the call that the handler receives; on a channel the outgoing
    ///   call, whose `requestMetadata` may be changed before `next`.
    nonisolated(nonsending) func intercept<
        Request: Message & Sendable, Response: Message & Sendable
    >(
        _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
    ) async throws -> Response
}

/// An interceptor that never suspends, for example one that refuses calls. With it synchronous
/// handlers remain synchronous: they are served without a task.
public protocol RPCSynchronousInterceptor: RPCInterceptor {
    /// Handles a call of a synchronous handler, as the other `intercept` does for async ones.
    func intercept<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: Request, _ call: RPCController,
        next: RPCSynchronousHandler<Request, Response>
    ) throws -> Response
}

/// Observes calls without changing them: for metrics and logs. Accepted in place of an interceptor
/// and called in the same order. With it synchronous handlers remain synchronous.
///
/// ```swift
/// struct SlowCalls: RPCCallObserver {
///     func callBegan(_ call: RPCController) -> (@Sendable (RPCCallEnding) -> Void)? {
///         let (method, start) = (call.method, ContinuousClock.now)
///         return { _ in if ContinuousClock.now - start > .seconds(1) { report(method) } }
///     }
/// }
/// ```
public protocol RPCCallObserver: RPCSynchronousInterceptor, RPCStreamInterceptor {
    /// Called when a call begins: on a server before its handler, on a channel before the request
    /// is sent. An observer behind an interceptor that answers a call is not called for it.
    ///
    /// - Returns: a closure that is called once, when the call has ended (see
    ///   `RPCController.onEnd`); nil if the end need not be observed.
    func callBegan(_ call: RPCController) -> (@Sendable (RPCCallEnding) -> Void)?
}

extension RPCCallObserver {
    /// Observes the call and passes it on.
    @inlinable
    public nonisolated(nonsending) func intercept<
        Request: Message & Sendable, Response: Message & Sendable
    >(
        _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
    ) async throws -> Response {
        observe(call)
        return try await next(request, call)
    }

    /// Observes a call of a synchronous handler and passes it on.
    @inlinable
    public func intercept<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: Request, _ call: RPCController,
        next: RPCSynchronousHandler<Request, Response>
    ) throws -> Response {
        observe(call)
        return try next(request, call)
    }

    @usableFromInline
    func observe(_ call: RPCController) {
        if let ended = callBegan(call) { call.onEnd(ended) }
    }
}

// MARK: - Composition

extension [any RPCInterceptor] {
    /// `handler`, wrapped by all of these.
    @usableFromInline
    func around<Request: Message & Sendable, Response: Message & Sendable>(
        _ handler: @escaping RPCHandler<Request, Response>
    ) -> RPCHandler<Request, Response> {
        var chain = handler
        for interceptor in reversed() {
            let next = chain
            chain = { request, call in
                try await interceptor.intercept(request, call, next: next)
            }
        }
        return chain
    }

    /// All of these as synchronous interceptors; nil if one of them may suspend.
    @usableFromInline
    var synchronous: [any RPCSynchronousInterceptor]? {
        let found = compactMap { $0 as? any RPCSynchronousInterceptor }
        return found.count == count ? found : nil
    }
}

extension [any RPCSynchronousInterceptor] {
    /// `handler`, wrapped by all of these.
    @usableFromInline
    func around<Request: Message & Sendable, Response: Message & Sendable>(
        _ handler: @escaping RPCSynchronousHandler<Request, Response>
    ) -> RPCSynchronousHandler<Request, Response> {
        var chain = handler
        for interceptor in reversed() {
            let next = chain
            chain = { request, call in try interceptor.intercept(request, call, next: next) }
        }
        return chain
    }
}
