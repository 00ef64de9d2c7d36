import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import SwiftProtobuf

/// The innermost interceptor of a channel with credentials: gives each call a token. Any thread.
final class ChannelCredentials: RPCStreamInterceptor {
    static let key = "authorization"

    private let credentials: RPCCallCredentials
    private let loop: EventLoop
    private let target: String
    /// The calls that wait for a token; nil once the channel is closed.
    private let waiting = Locked<OrderedObjects<TokenWaiter>?>(OrderedObjects())

    init(_ credentials: RPCCallCredentials, loop: EventLoop, target: String) {
        self.credentials = credentials
        self.loop = loop
        self.target = target
    }

    nonisolated(nonsending) func intercept<
        Request: Message & Sendable, Response: Message & Sendable
    >(
        _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
    ) async throws -> Response {
        if call.requestMetadata[Self.key] != nil { return try await next(request, call) }
        let token = try await giveToken(to: call)
        do {
            return try await next(request, call)
        } catch let error as RPCError where error.code == .unauthenticated {
            credentials.refused(token, on: loop)
            throw error
        }
    }

    nonisolated(nonsending) func interceptStream(
        _ call: RPCController, next: nonisolated(nonsending) () async throws -> Void
    ) async throws {
        if call.requestMetadata[Self.key] == nil {
            let token = try await giveToken(to: call)
            // The call has only begun when `next` returns.
            call.onEnd { [credentials, loop] ending in
                if ending.code == .unauthenticated { credentials.refused(token, on: loop) }
            }
        }
        try await next()
    }

    /// Waits for a token, and sets it in the metadata of the call.
    private nonisolated(nonsending) func giveToken(
        to call: RPCController
    ) async throws(RPCError) -> String {
        do throws(RPCError) {
            let token = try await self.token(for: call)
            call.requestMetadata[Self.key] = "Bearer \(token)"
            return token
        } catch {
            call.finish(error: error)
            throw error.about(method: call.method, peer: target)
        }
    }

    private nonisolated(nonsending) func token(
        for call: RPCController
    ) async throws(RPCError) -> String {
        let waiter = TokenWaiter()
        let isOpen = waiting.withLock { waiting in
            waiting?.insert(waiter)
            return waiting != nil
        }
        if !isOpen { throw Self.closed }
        defer { waiting.withLock { $0?.remove(waiter) } }
        call.canBeCancelled { waiter.end(.failure(RPCCallCredentials.cancelled)) }
        let token = try await credentials.token(until: call.deadline, waiter, on: loop)
        if call.isCancelled { throw RPCCallCredentials.cancelled }
        return token
    }

    private static let closed = RPCError(.channelInit, "the channel is closed")

    /// Ends the calls that wait.
    func close() {
        let waiters = waiting.withLock { waiting in waiting.take()?.inOrder } ?? []
        for waiter in waiters { waiter.end(.failure(Self.closed)) }
    }
}

/// The wait of one call for a token: it ends once. Any thread.
final class TokenWaiter: Sendable {
    private enum State {
        case waiting(CheckedContinuation<Result<String, RPCError>, Never>?)
        case ended(Result<String, RPCError>)
    }

    private let state = Locked(State.waiting(nil))

    /// Ends the wait; only the first call has an effect.
    func end(_ result: Result<String, RPCError>) {
        let continuation = state.withLock { state in
            guard case .waiting(let continuation) = state else {
                return CheckedContinuation<Result<String, RPCError>, Never>?.none
            }
            state = .ended(result)
            return continuation
        }
        continuation?.resume(returning: result)
    }

    /// The result; waits for it. Once.
    nonisolated(nonsending) func result() async -> Result<String, RPCError> {
        await withCheckedContinuation { continuation in
            let result = state.withLock { state in
                if case .ended(let result) = state { return Result<String, RPCError>?.some(result) }
                state = .waiting(continuation)
                return nil
            }
            if let result { continuation.resume(returning: result) }
        }
    }
}
