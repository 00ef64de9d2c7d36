import RocketBase
public import RocketCodec
import RocketReactor
public import SwiftProtobuf

/// A call that has been started: one task or several await its response later. Runs on the channel's
/// loop, and so do its interceptors.
///
/// ```swift
/// let call = channel.start(OrderMethods.queryOrder, request)
/// …
/// let response = try await call.value
/// ```
public final class RPCAsyncCall<Response: Message & Sendable>: Sendable {
    /// The loop of the channel.
    let loop: EventLoop
    private let task: Task<Result<Response, RPCError>, Never>

    init(on loop: EventLoop, _ body: @escaping @Sendable () async -> Result<Response, RPCError>) {
        self.loop = loop
        task = Task(executorPreference: loop) { await body() }
    }

    /// The response; waits for the end of the call.
    ///
    /// - Throws: as `RPCChannel.call`.
    public var value: Response {
        get async throws(RPCError) { try await task.value.get() }
    }

    /// The response or the error; waits for the end of the call.
    var outcome: Result<Response, RPCError> {
        get async { await task.value }
    }

    /// Waits for the end of the call, with a response or an error.
    public func wait() async { _ = await task.value }

    /// Cancels the call: it ends with CANCELLED, unless it has ended.
    public func cancel() { task.cancel() }
}

extension RPCChannel {
    /// Starts a call and returns at once. Any thread.
    ///
    /// - Parameters: as `call`.
    public func start<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, timeout: Duration? = nil,
        metadata: RPCMetadata = [:], options: RPCCallOptions = .init()
    ) -> RPCAsyncCall<Response> {
        RPCAsyncCall(on: loop) { [self] in
            do throws(RPCError) {
                return .success(
                    try await call(
                        method, request, timeout: timeout, metadata: metadata, options: options))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Starts a call with a controller and returns at once. Any thread.
    public func start<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ controller: RPCController
    ) -> RPCAsyncCall<Response> {
        RPCAsyncCall(on: loop) { [self] in
            do throws(RPCError) {
                return .success(try await call(method, request, controller))
            } catch {
                return .failure(error)
            }
        }
    }
}
