public import SwiftProtobuf

/// What is to happen with a call's outcome, for callers that are no async functions.
///
/// A thrown error of `body` becomes the call's error: it is what `failed` is told.
public struct RPCClosure<Response: Message & Sendable>: Sendable {
    private let executor: (any TaskExecutor)?
    private let body: @Sendable (Response) throws -> Void
    private let failed: @Sendable (RPCError) -> Void

    /// - Parameters:
    ///   - executor: where both run: an `EventLoop`, or nil for Swift's own pool.
    ///   - body: takes the response.
    ///   - failed: takes the error, of the call or of `body`.
    public init(
        on executor: (any TaskExecutor)? = nil,
        _ body: @escaping @Sendable (Response) throws -> Void,
        failed: @escaping @Sendable (RPCError) -> Void = { _ in }
    ) {
        self.executor = executor
        self.body = body
        self.failed = failed
    }

    /// Makes the call and runs what is to follow.
    func follow(_ call: RPCAsyncCall<Response>) {
        Task(executorPreference: executor) {
            do {
                try body(try await call.value)
            } catch let error as RPCError {
                failed(error)
            } catch {
                failed(RPCError(.internal, "the callback failed", cause: error))
            }
        }
    }
}

extension RPCChannel {
    /// Makes a call and hands its outcome to `done`. Returns at once. Any thread.
    ///
    /// - Parameters: as `call`.
    /// - Returns: the call, to cancel it; need not be kept.
    @discardableResult
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, timeout: Duration? = nil,
        metadata: RPCMetadata = [:], options: RPCCallOptions = .init(), done: RPCClosure<Response>
    ) -> RPCAsyncCall<Response> {
        let call = start(
            method, request, timeout: timeout, metadata: metadata, options: options)
        done.follow(call)
        return call
    }
}
