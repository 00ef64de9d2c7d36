public import RocketBase
public import RocketCodec
import RocketRuntime
import Synchronization
import SwiftProtobuf

extension RPCChannel {
    /// How many calls of a batch are in flight at most.
    @usableFromInline static var batchLimit: Int { 1024 }

    /// Calls a method once for each request, and waits until all calls have ended. As many separate
    /// calls, for a third of their processor time: the caller's task is suspended once, and not once
    /// for each.
    ///
    /// Up to 1,024 calls are in flight at a time; where there are more requests, the next ones are
    /// sent when these have ended. Each call counts as one everywhere: towards limits, to the
    /// balancer, in statistics, with its own retries. When the task is cancelled, calls that have not
    /// ended end with CANCELLED.
    ///
    /// - Parameters:
    ///   - timeout, options: those of each call, as for `call`; the time begins when it is sent.
    ///   - metadata: sent beside each request. Calls that need an `idempotency-key` each are made by
    ///     `call`.
    /// - Returns: for each request, in their order, its response, or the error that `call` throws.
    @inlinable
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, each requests: [Request], timeout: Duration? = nil,
        metadata: RPCMetadata = [:], options: RPCCallOptions = .init()
    ) async -> [Result<Response, RPCError>] {
        var results: [Result<Response, RPCError>] = []
        results.reserveCapacity(requests.count)
        var rest = requests[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.batchLimit)
            rest = rest.dropFirst(part.count)
            if interceptors.isEmpty {
                await send(method, part, timeout, metadata, options, into: &results)
            } else {
                results += await intercepted(method, part, timeout, metadata, options)
            }
        }
        return results
    }

    /// Makes the calls of one part, without interceptors. Compiled where the types of the messages are
    /// known.
    @inlinable
    func send<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ requests: ArraySlice<Request>,
        _ timeout: Duration?, _ metadata: RPCMetadata, _ options: RPCCallOptions,
        into results: inout [Result<Response, RPCError>]
    ) async {
        var calls: [OutgoingCall] = []
        calls.reserveCapacity(requests.count)
        for request in requests { calls.append(method.call(request)) }
        do throws(RPCError) {
            for call in calls { try prepare(call, timeout, metadata, options, nil) }
        } catch {
            // The parameters are those of all.
            for _ in calls { results.append(.failure(error)) }
            return
        }
        await run(calls)
        for call in calls {
            do throws(RPCError) {
                try check(call)
                results.append(.success(method.response(of: call)))
            } catch {
                results.append(.failure(error))
            }
        }
    }

    /// Hands calls to the channel's loop, and returns when all have ended.
    @usableFromInline
    func run(_ calls: [OutgoingCall]) async {
        await unsafe suspendTask {
            for call in calls { cancel(call) }
        } _: { continuation in
            let batch = unsafe CallBatch(calls.count, resuming: continuation)
            for call in calls {
                call.begin(in: batch)
                enqueueStart(call)
            }
        }
    }

    /// Makes the calls of one part, each with its interceptors.
    @usableFromInline
    func intercepted<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ requests: ArraySlice<Request>,
        _ timeout: Duration?, _ metadata: RPCMetadata, _ options: RPCCallOptions
    ) async -> [Result<Response, RPCError>] {
        let calls = requests.map {
            start(method, $0, timeout: timeout, metadata: metadata, options: options)
        }
        return await withTaskCancellationHandler {
            var results: [Result<Response, RPCError>] = []
            for call in calls { results.append(await call.outcome) }
            return results
        } onCancel: {
            for call in calls { call.cancel() }
        }
    }
}

/// Counts the calls of a batch that have not ended, and resumes their caller after the last one.
// SAFETY: the continuation is read by the end of the last call only.
@safe final class CallBatch: @unchecked Sendable {
    private let remaining: Atomic<Int>
    private let continuation: UnsafeContinuation<Void, Never>

    /// - Parameter count: 1 or more.
    @unsafe
    init(_ count: Int, resuming continuation: UnsafeContinuation<Void, Never>) {
        remaining = Atomic(count)
        unsafe self.continuation = continuation
    }

    /// One of the calls has ended. Any thread.
    func callEnded() {
        if remaining.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
            unsafe continuation.resume()
        }
    }
}
