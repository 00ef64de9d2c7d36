public import SwiftProtobuf

/// Stands around every call of a server or of a channel: sees the request before, the response or
/// error after, and may answer by itself.
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
/// The first one added is the outermost. On a server the chain is made once, at registration; with
/// no interceptor there is no chain. A server's interceptor runs on the connection's loop, a
/// channel's where the call was made.
public protocol RPCInterceptor: Sendable {
    /// Handles a call: usually by calling `next`, once, and returning what it returns.
    ///
    /// - Parameter call: on a server what the handler sees; on a channel the call that is being
    ///   made, whose `requestMetadata` may be changed before `next`.
    nonisolated(nonsending) func intercept<
        Request: Message & Sendable, Response: Message & Sendable
    >(
        _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
    ) async throws -> Response
}

/// An interceptor that never waits, so that handlers which don't are served without a task all the
/// same: for what measures, logs and refuses.
public protocol RPCSynchronousInterceptor: RPCInterceptor {
    /// Handles a call of such a handler, as the other `intercept` does.
    func intercept<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: Request, _ call: RPCController,
        next: RPCSynchronousHandler<Request, Response>
    ) throws -> Response
}

extension [any RPCInterceptor] {
    /// `handler` with all of these around it.
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

    /// All of these as interceptors that never wait; nil where one may.
    @usableFromInline
    var synchronous: [any RPCSynchronousInterceptor]? {
        let found = compactMap { $0 as? any RPCSynchronousInterceptor }
        return found.count == count ? found : nil
    }
}

extension [any RPCSynchronousInterceptor] {
    /// `handler` with all of these around it.
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
