public import SwiftProtobuf

/// A call that is under way: started now, its response taken later, by one task or several.
///
/// ```swift
/// let call = channel.start(OrderMethods.queryOrder, request)
/// …
/// let response = try await call.value
/// ```
public final class RPCAsyncCall<Response: Message & Sendable>: Sendable {
    private let task: Task<Result<Response, RPCError>, Never>

    init(_ body: @escaping @Sendable () async -> Result<Response, RPCError>) {
        task = Task { await body() }
    }

    /// The response, as soon as it is there.
    ///
    /// - Throws: as `RPCChannel.call`.
    public var value: Response {
        get async throws(RPCError) { try await task.value.get() }
    }

    /// As soon as it is there.
    var outcome: Result<Response, RPCError> {
        get async { await task.value }
    }

    /// Waits until the call is over, however it ended.
    public func wait() async { _ = await task.value }

    /// Gives the call up: it ends with CANCELLED, unless it is over.
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
        RPCAsyncCall { [self] in
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
        RPCAsyncCall { [self] in
            do throws(RPCError) {
                return .success(try await call(method, request, controller))
            } catch {
                return .failure(error)
            }
        }
    }
}
