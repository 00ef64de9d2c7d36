import RocketBase
import RocketReactor
public import RocketSystem
import RocketTCP

/// Gives the calls of a channel a token, which is sent as `authorization: Bearer …`. Any number of
/// channels may share it. Any thread.
///
/// ```swift
/// configuration.credentials = RPCCallCredentials {
///     let answer = try await issuer.token(for: "orders")
///     return (answer.token, expires: answer.expires)
/// }
/// ```
///
/// The token is fetched when the first call needs it, by one fetch for all calls that wait, and
/// again 30 s before it expires (or a tenth of its lifetime), while calls still use it; also when a
/// server has answered UNAUTHENTICATED. If a fetch fails, the calls that wait fail with its
/// `RPCError`, or with UNAUTHENTICATED for any other error, and so do calls in the next second.
/// A call waits no longer than its deadline, at most 16,384 calls wait, and a fetch takes at most
/// 30 s, after which its task is cancelled. A call whose metadata has an `authorization` already
/// keeps it.
///
/// A token of more than about 450 bytes is sent once the server has said that it takes so much,
/// which the channel asks by a call of `rocket.Health.check` without a token.
public final class RPCCallCredentials: Sendable {
    /// A token, without `Bearer`, of 1 to 8000 visible ASCII characters, and until when it is valid;
    /// nil: until a server refuses it.
    public typealias Token = (token: String, expires: WallTime?)

    static let fetchTime = Duration.seconds(30)
    private static let maxTokenBytes = 8000

    /// Whether the token may be sent in plaintext to another machine, where anybody on the way can
    /// read and use it. Default false. Unix sockets and addresses of this machine need no permission.
    public let allowsPlaintext: Bool
    private let fetch: @Sendable () async throws -> Token
    private let cache = Locked(TokenCache<TokenWaiter>())

    /// Creates credentials of tokens that are fetched.
    ///
    /// - Parameter fetch: fetches a token. Runs on the loop of a channel until it suspends.
    public init(
        allowsPlaintext: Bool = false, fetch: @escaping @Sendable () async throws -> Token
    ) {
        self.allowsPlaintext = allowsPlaintext
        self.fetch = fetch
    }

    /// Creates credentials of a token that does not change.
    public convenience init(token: String, allowsPlaintext: Bool = false) {
        self.init(allowsPlaintext: allowsPlaintext) { (token, expires: nil) }
    }

    /// Checks that the token is not sent in plaintext over a network.
    ///
    /// - Throws: `RPCError` CHANNEL_INIT with the address.
    func checkUse(to source: EndpointSource, isEncrypted: Bool) throws(RPCError) {
        if isEncrypted || allowsPlaintext { return }
        let other: String?
        switch source {
        case .fixed(let endpoints):
            other = endpoints.lazy.flatMap(\.addresses).first { !$0.isOfThisMachine }?.description
        case .resolved(_, let target): other = target.description
        }
        guard let other else { return }
        throw RPCError(
            .channelInit,
            "the channel has credentials, and would send them in plaintext to \(other); use TLS, "
                + "or set allowsPlaintext")
    }

    /// Returns a token; waits until it is fetched.
    ///
    /// - Parameters:
    ///   - deadline: of the call that needs it.
    ///   - waiter: is ended when the call need not wait any longer.
    func token(
        until deadline: MonotonicTime?, _ waiter: TokenWaiter, on loop: EventLoop
    ) async throws(RPCError) -> String {
        let now = loop.time.monotonic()
        let (step, number) = cache.withLock { $0.next(waiter, now: now) }
        if let number { startFetch(number, on: loop) }
        switch step {
        case .use(let token): return token
        case .fail(let error): throw error
        case .wait(let key):
            let timer = deadline.map { Self.end(waiter, after: $0 - now, on: loop) }
            let result = await withTaskCancellationHandler {
                await waiter.result()
            } onCancel: {
                waiter.end(.failure(Self.cancelled))
            }
            timer?.cancel()
            cache.withLock { $0.removeWaiter(key) }
            return try result.get()
        }
    }

    static let cancelled = RPCError(.cancelled, "the caller cancelled the call")

    /// A server has answered a call with that token by UNAUTHENTICATED.
    func refused(_ token: String, on loop: EventLoop) {
        let now = loop.time.monotonic()
        cache.withLock { $0.refused(token, now: now) }
    }

    /// Ends the wait of a call at its deadline, or when the loop ends, which releases its timers.
    private static func end(
        _ waiter: TokenWaiter, after time: Duration, on loop: EventLoop
    ) -> LoopTimer {
        let end = LoopEnd {
            waiter.end(.failure(RPCError(.channelInit, "the loop of the channel has ended")))
        }
        return loop.schedule(after: time, label: "wait for a token") { _ in
            withExtendedLifetime(end) {
                waiter.end(
                    .failure(RPCError(.callTimeout, "the deadline passed before there was a token"))
                )
            }
        }
    }

    // MARK: Fetching

    private func startFetch(_ number: Int, on loop: EventLoop) {
        let task = Task(executorPreference: loop) { [self] in
            let result: Result<Token, any Error>
            do {
                result = .success(try await fetch())
            } catch {
                result = .failure(error)
            }
            finish(number, Self.checked(result, now: loop.time.wall()), on: loop)
        }
        let expired: @Sendable () -> Void = { [self] in
            task.cancel()
            let error = RPCError(.unauthenticated, "no token was fetched within 30 s")
            finish(number, .failure(error), on: loop)
        }
        // Also when the loop ends: the loop of another channel can fetch then.
        let end = LoopEnd(expired)
        loop.schedule(after: Self.fetchTime, label: "fetch of a token") { _ in
            withExtendedLifetime(end) { expired() }
        }
    }

    private static func checked(
        _ result: Result<Token, any Error>, now: WallTime
    ) -> Result<(text: String, lifetime: Duration), RPCError> {
        switch result {
        case .success(let (text, expires)):
            // The token itself is not shown.
            guard (1...maxTokenBytes).contains(text.utf8.count),
                text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else {
                return .failure(
                    RPCError(
                        .unauthenticated,
                        "the token is not of 1 to \(maxTokenBytes) visible ASCII characters"))
            }
            guard let expires else { return .success((text, .seconds(1 << 32))) }
            let (left, overflow) = expires.nanoseconds.subtractingReportingOverflow(now.nanoseconds)
            return .success((text, overflow ? .seconds(1 << 32) : .nanoseconds(left)))
        case .failure(let error as RPCError): return .failure(error)
        case .failure(let error):
            return .failure(
                RPCError(.unauthenticated, "no token could be fetched", cause: error))
        }
    }

    private func finish(
        _ number: Int, _ result: Result<(text: String, lifetime: Duration), RPCError>,
        on loop: EventLoop
    ) {
        let now = loop.time.monotonic()
        guard let ended = cache.withLock({ $0.fetched(number, result, now: now) }) else { return }
        for waiter in ended.waiters { waiter.end(ended.outcome) }
    }
}

/// Runs a closure when it is released.
private final class LoopEnd: Sendable {
    private let released: @Sendable () -> Void

    init(_ released: @escaping @Sendable () -> Void) { self.released = released }

    deinit { released() }
}

extension NetAddress {
    /// Whether bytes that are sent there do not leave this machine.
    var isOfThisMachine: Bool {
        switch unmapped.socketAddress {
        case .ipv4(let bits, _): bits >> 24 == 127
        case .ipv6(let high, let low, _, _): high == 0 && low == 1
        case .unix, .abstract, .unnamed: true
        }
    }
}
