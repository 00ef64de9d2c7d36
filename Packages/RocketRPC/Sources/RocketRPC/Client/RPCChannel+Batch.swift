public import RocketBase
public import RocketCodec
import RocketRuntime
import SwiftProtobuf
import Synchronization

extension RPCChannel {
    /// How many calls of a batch are in flight at most: as many as the objects that a method keeps,
    /// and no more than the channel accepts of one caller.
    static func callsPerBatch(_ configuration: RPCChannelConfiguration) -> Int {
        let most = min(configuration.maxCallsInFlight, configuration.maxCallsWaiting)
        return max(1, min(CallPool.capacity, most))
    }

    /// Calls a method once for each request, and waits until all calls have ended: about half of the
    /// client's processor time of as many single calls, since the caller's task is suspended once
    /// for all, and what the calls have in common is done once.
    ///
    /// Each call is one everywhere else: towards limits, the balancer, retries, hedges, statistics
    /// and interceptors (with interceptors each call is a task of its own, and nothing is saved).
    /// At most 1,024 calls are in flight at a time, or `maxCallsInFlight` or `maxCallsWaiting` where
    /// that is less; the next ones are sent when all of these have ended. When the task is
    /// cancelled, the calls that have not ended end with CANCELLED.
    ///
    /// ```swift
    /// let replies = await channel.call(OrderMethods.queryOrder, each: requests)
    /// let orders = try replies.map { try $0.get() }
    /// ```
    ///
    /// - Parameters:
    ///   - timeout, options: those of each call, as for `call`. The time begins when the call is
    ///     sent. `messageID` can't be set: it names one call.
    ///   - metadata: sent beside each request. Without an `idempotency-key`, which names one
    ///     call; `isIdempotent` allows to send each call again.
    /// - Returns: for each request, in their order, its response, or the error that `call` throws.
    ///   Empty without requests. ERROR_FAILED_ENCODE for each where several requests have a
    ///   `messageID` or an `idempotency-key`.
    @inlinable
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, each requests: [Request], timeout: Duration? = nil,
        metadata: RPCMetadata = [:], options: RPCCallOptions = .init()
    ) async -> [Result<Response, RPCError>] {
        var results: [Result<Response, RPCError>] = []
        results.reserveCapacity(requests.count)
        if requests.count > 1, let error = Self.sharedName(metadata, options) {
            for _ in requests { results.append(.failure(error)) }
            return results
        }
        while results.count < requests.count {
            if Task.isCancelled {
                // No interceptor runs for a part that would be cancelled at once.
                for _ in results.count..<requests.count { results.append(.failure(Self.cancelled)) }
                return results
            }
            let part = requests[results.count...].prefix(mostCallsPerBatch)
            if interceptors.isEmpty {
                await send(method, part, timeout, metadata, options, into: &results)
            } else {
                await sendEach(method, part, timeout, metadata, options, into: &results)
            }
        }
        return results
    }

    @usableFromInline static let cancelled = ChannelCore.cancelled

    @usableFromInline var mostCallsPerBatch: Int { batchLimit.load(ordering: .relaxed) }

    /// The error of several calls that have what names one call; nil: they don't.
    @usableFromInline
    static func sharedName(_ metadata: RPCMetadata, _ options: RPCCallOptions) -> RPCError? {
        if options.messageID != nil {
            return RPCError(.failedEncode, "the calls of a batch can't have the same msg_id")
        }
        if metadata["idempotency-key"] != nil {
            return RPCError(
                .failedEncode, "the calls of a batch can't have the same idempotency-key")
        }
        return nil
    }

    /// Makes the calls of one part, without interceptors. Compiled where the types of the messages
    /// are known.
    @inlinable
    func send<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ requests: ArraySlice<Request>,
        _ timeout: Duration?, _ metadata: RPCMetadata, _ options: RPCCallOptions,
        into results: inout [Result<Response, RPCError>]
    ) async {
        let calls = method.calls(requests)
        do throws(RPCError) {
            try prepare(calls, timeout, metadata, options)
        } catch {
            // What is wrong with the parameters of one is wrong with all.
            for _ in requests { results.append(.failure(error)) }
            return
        }
        await run(calls)
        method.takeResults(of: calls, into: &results) { (call) throws(RPCError) in try check(call) }
    }

    /// Hands calls to the channel's loop, and returns when all have ended.
    @usableFromInline
    func run(_ calls: ContiguousArray<OutgoingCall>) async {
        let batch = CallBatch(calls)
        await unsafe suspendTask {
            for call in calls { call.cancel() }
            inbox.enqueue(.cancelBatch(batch), drainInbox: drainInbox)
        } _: { continuation in
            unsafe batch.continuation = continuation
            inbox.enqueue(.startBatch(batch), drainInbox: drainInbox, isTask: true)
        }
    }

    /// Makes the calls of one part, each with its interceptors.
    @usableFromInline
    func sendEach<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ requests: ArraySlice<Request>,
        _ timeout: Duration?, _ metadata: RPCMetadata, _ options: RPCCallOptions,
        into results: inout [Result<Response, RPCError>]
    ) async {
        let calls = requests.map {
            start(method, $0, timeout: timeout, metadata: metadata, options: options)
        }
        results += await withTaskCancellationHandler {
            var outcomes: [Result<Response, RPCError>] = []
            for call in calls { outcomes.append(await call.outcome) }
            return outcomes
        } onCancel: {
            for call in calls { call.cancel() }
        }
    }
}

/// Calls that are handed over together, and whose caller is resumed when the last one has ended.
// SAFETY: belongs to its caller until it is handed over through the channel's inbox, and then to
// the channel's loop, until the continuation is resumed, once, by the end of the last call. The list
// of calls never changes.
@safe final class CallBatch: @unchecked Sendable {
    let calls: ContiguousArray<OutgoingCall>
    /// How many of the calls have not ended.
    private(set) var remaining: Int
    /// The caller's task. Set before the batch is handed over.
    var continuation: UnsafeContinuation<Void, Never>?

    /// - Parameter calls: one or more.
    init(_ calls: ContiguousArray<OutgoingCall>) {
        self.calls = calls
        remaining = calls.count
    }

    /// Passes each call on, which ends it.
    func begin(_ body: (OutgoingCall) -> Void) {
        for call in calls {
            call.begin(in: self)
            body(call)
        }
    }

    /// One of the calls has ended.
    func callEnded() {
        remaining -= 1
        if remaining == 0 { unsafe continuation.take()?.resume() }
    }
}
