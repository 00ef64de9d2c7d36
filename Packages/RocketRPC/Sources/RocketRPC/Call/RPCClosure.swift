public import SwiftProtobuf

/// What is to happen with a call's outcome, for callers that are no async functions.
///
/// A thrown error of `body` becomes the call's error: it is what `failed` is told, and what the
/// call's controller says.
public struct RPCClosure<Response: Message & Sendable>: Sendable {
    /// Runs work somewhere, once, later.
    public typealias Runner = @Sendable (_ work: @escaping @Sendable () -> Void) -> Void

    private let executor: (any TaskExecutor)?
    private let runner: Runner?
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
        runner = nil
        self.body = body
        self.failed = failed
    }

    /// For a queue of any kind: `RPCClosure(by: { queue.async(execute: $0) }) { … }`.
    ///
    /// - Parameters:
    ///   - runner: what runs both.
    ///   - body: takes the response.
    ///   - failed: takes the error, of the call or of `body`.
    public init(
        by runner: @escaping Runner, _ body: @escaping @Sendable (Response) throws -> Void,
        failed: @escaping @Sendable (RPCError) -> Void = { _ in }
    ) {
        executor = nil
        self.runner = runner
        self.body = body
        self.failed = failed
    }

    /// Waits for the call and runs what is to follow.
    func follow(_ call: RPCAsyncCall<Response>, _ controller: RPCController? = nil) {
        Task(executorPreference: executor) {
            let outcome = await call.outcome
            guard let runner else { return finish(outcome, controller) }
            runner { finish(outcome, controller) }
        }
    }

    private func finish(_ outcome: Result<Response, RPCError>, _ controller: RPCController?) {
        do {
            try body(try outcome.get())
        } catch let error as RPCError {
            controller?.finish(error: error)
            failed(error)
        } catch {
            let error = RPCError(.internal, "the callback failed", cause: error)
            controller?.finish(error: error)
            failed(error)
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

    /// Makes a call with a controller and hands its outcome to `done`. Returns at once. Any
    /// thread.
    ///
    /// - Returns: the call, to cancel it; need not be kept.
    @discardableResult
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ controller: RPCController,
        done: RPCClosure<Response>
    ) -> RPCAsyncCall<Response> {
        let call = start(method, request, controller)
        done.follow(call, controller)
        return call
    }
}
