import RocketBase
import RocketSystem

/// The token of `RPCCallCredentials`, and the calls that wait for it. Decides when it is fetched: one
/// fetch at a time, again shortly before it expires, and not at once after a failure. A value.
struct TokenCache<Waiter: Sendable>: Sendable {
    /// The most calls that wait for a token.
    static var maxWaiters: Int { 16_384 }
    /// For so long after a failed fetch calls fail with its error. Also, a token that a server
    /// refuses is fetched again if it is older.
    static var failureTime: Duration { .seconds(1) }
    /// A token is fetched again so long before it expires, or a tenth of its lifetime if that is
    /// less; it is used meanwhile.
    static var margin: Duration { .seconds(30) }

    private struct Token {
        let text: String
        let fetchedAt: MonotonicTime
        let refreshAt: MonotonicTime
        let expiresAt: MonotonicTime
    }

    private var token: Token?
    private var failure: RPCError?
    private var noFetchBefore = MonotonicTime(nanoseconds: 0)
    private(set) var runningFetch: Int?
    private var fetchCount = 0
    private var waiters: [Int: Waiter] = [:]
    private var waiterCount = 0

    /// What a call does that needs a token.
    enum Step: Sendable {
        case use(String)
        case fail(RPCError)
        /// The call waits; see `removeWaiter`.
        case wait(key: Int)
    }

    /// - Returns: the step, and the number of a fetch that has to be started; nil: none.
    mutating func next(_ waiter: Waiter, now: MonotonicTime) -> (step: Step, fetch: Int?) {
        if let token, now < token.expiresAt {
            let isDue = now >= token.refreshAt && now >= noFetchBefore
            return (.use(token.text), isDue ? beginFetch() : nil)
        }
        if runningFetch == nil, let failure, now < noFetchBefore { return (.fail(failure), nil) }
        guard waiters.count < Self.maxWaiters else {
            let text = "\(Self.maxWaiters) calls wait for a token, the most"
            return (.fail(RPCError(.resourceExhausted, text)), nil)
        }
        waiterCount += 1
        waiters[waiterCount] = waiter
        return (.wait(key: waiterCount), beginFetch())
    }

    private mutating func beginFetch() -> Int? {
        if runningFetch != nil { return nil }
        fetchCount += 1
        runningFetch = fetchCount
        return fetchCount
    }

    mutating func removeWaiter(_ key: Int) { waiters[key] = nil }

    /// Ends a fetch; no effect if it is not the running one.
    ///
    /// - Parameter result: the token, and how long it is valid.
    /// - Returns: the calls that have waited, in their order, and what they do.
    mutating func fetched(
        _ fetch: Int, _ result: Result<(text: String, lifetime: Duration), RPCError>,
        now: MonotonicTime
    ) -> (waiters: [Waiter], outcome: Result<String, RPCError>)? {
        guard fetch == runningFetch else { return nil }
        runningFetch = nil
        let outcome: Result<String, RPCError>
        switch result {
        case .success(let (text, lifetime)) where lifetime > .zero:
            let margin = min(Self.margin, lifetime / 10)
            token = Token(
                text: text, fetchedAt: now, refreshAt: now + (lifetime - margin),
                expiresAt: now + lifetime)
            failure = nil
            outcome = .success(text)
        case .success:
            outcome = failed(RPCError(.unauthenticated, "the token has expired"), now)
        case .failure(let error):
            outcome = failed(error, now)
        }
        defer { waiters = [:] }
        return (waiters.sorted { $0.key < $1.key }.map(\.value), outcome)
    }

    private mutating func failed(
        _ error: RPCError, _ now: MonotonicTime
    ) -> Result<String, RPCError> {
        failure = error
        noFetchBefore = now + Self.failureTime
        return .failure(error)
    }

    /// A server has refused a token: it is fetched again, unless it has just been.
    mutating func refused(_ text: String, now: MonotonicTime) {
        if let token, token.text == text, now - token.fetchedAt >= Self.failureTime {
            self.token = nil
        }
    }
}
