public import RocketBase
public import RocketCodec
import RocketReactor
public import SwiftProtobuf

/// A callback that receives the outcome of a call, for callers that are not async functions.
///
/// An error that `body` throws becomes the error of the call: it is passed to `failed`, and set on
/// the call's controller.
public struct RPCClosure<Response: Message & Sendable>: Sendable {
    /// Runs `work` once, on an executor of its choice.
    public typealias Runner = @Sendable (_ work: @escaping @Sendable () -> Void) -> Void

    private let executor: (any TaskExecutor)?
    private let runner: Runner?
    private let body: @Sendable (Response) throws -> Void
    private let failed: @Sendable (RPCError) -> Void

    /// Creates a closure that runs on a task executor.
    ///
    /// - Parameters:
    ///   - executor: runs `body` and `failed`; nil: the channel's loop. There they must not block:
    ///     all calls of the channel would wait.
    ///   - body: receives the response.
    ///   - failed: receives the error, of the call or of `body`.
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

    /// Creates a closure that runs on a queue of any kind:
    /// `RPCClosure(by: { queue.async(execute: $0) }) { … }`.
    ///
    /// - Parameters:
    ///   - runner: runs `body` and `failed`.
    ///   - body: receives the response.
    ///   - failed: receives the error, of the call or of `body`.
    public init(
        by runner: @escaping Runner, _ body: @escaping @Sendable (Response) throws -> Void,
        failed: @escaping @Sendable (RPCError) -> Void = { _ in }
    ) {
        executor = nil
        self.runner = runner
        self.body = body
        self.failed = failed
    }

    /// Runs `body` or `failed` when the call has ended. Does not wait.
    func observe(_ call: RPCAsyncCall<Response>, _ controller: RPCController? = nil) {
        Task(executorPreference: executor ?? call.loop) {
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
    /// Starts a call and passes its outcome to `done`. Does not wait. Any thread.
    ///
    /// - Parameters: the same as those of the async `call`.
    /// - Returns: the call, to cancel or await it; need not be kept.
    @discardableResult
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, timeout: Duration? = nil,
        metadata: RPCMetadata = [:], options: RPCCallOptions = .init(), done: RPCClosure<Response>
    ) -> RPCAsyncCall<Response> {
        let call = start(
            method, request, timeout: timeout, metadata: metadata, options: options)
        done.observe(call)
        return call
    }

    /// Starts a call with a controller and passes its outcome to `done`. Does not wait. Any thread.
    ///
    /// - Returns: the call, to cancel or await it; need not be kept.
    @discardableResult
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ controller: RPCController,
        done: RPCClosure<Response>
    ) -> RPCAsyncCall<Response> {
        let call = start(method, request, controller)
        done.observe(call, controller)
        return call
    }
}
