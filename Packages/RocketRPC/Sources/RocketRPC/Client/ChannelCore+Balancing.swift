import RocketBalancing
import RocketBase
import RocketReactor
import RocketSystem
import Synchronization

// What the balancer of a channel learns from its calls, and the budget of calls that are sent again.

extension ChannelCore {
    /// A call was sent to one of several endpoints.
    func attemptBegan(_ slot: Int, _ call: OutgoingCall, on connection: ClientConnection) {
        unsafe pending.balanced(slot, since: reactor.now)
        unsafe endpoints.balancer.began(connection.endpoint.index)
        context.counters.picks.increment()
        if call.policy != nil { expectHedge(slot, call) }
    }

    /// The attempt of a call has ended that is in the pending calls.
    @inline(__always)
    func attemptEnded(
        _ slot: Int, on connection: ClientConnection, _ outcome: @autoclosure () -> CallOutcome
    ) {
        guard let start = unsafe pending.balancedSince(slot), let entry = unsafe pending[slot]
        else { return }
        unsafe pending.balanced(slot, since: nil)
        attemptEnded(entry.call, began: start, on: connection, outcome())
    }

    /// An attempt has ended.
    ///
    /// - Parameter start: when it was sent to one of several endpoints; nil: there was one.
    func attemptEnded(
        _ call: OutgoingCall, began start: MonotonicTime?, on connection: ClientConnection,
        _ outcome: CallOutcome
    ) {
        guard let start else { return }
        let now = reactor.now
        let isStream = call.stream != nil
        // How long a stream takes says nothing of its server.
        unsafe endpoints.balancer.ended(
            connection.endpoint.index, began: isStream ? now : start,
            outcome: isStream && outcome == .success ? .ignored : outcome, now: now)
        if outcome == .failure {
            context.counters.ejections.store(
                unsafe endpoints.balancer.statistics.ejections, ordering: .relaxed)
        }
    }

    /// How many times a call may be sent in all.
    func maxAttempts(of call: OutgoingCall) -> Int {
        call.policy?.policy.maxAttempts ?? settings.configuration.retry.maxAttempts
    }

    /// When a call is sent again.
    func retryPolicy(of call: OutgoingCall) -> RPCRetryPolicy {
        var policy = settings.configuration.retry
        policy.maxAttempts = maxAttempts(of: call)
        return policy
    }

    /// Whether a call may be sent again now, or hedged, which then counts.
    func isWithinRetryBudget() -> Bool {
        let now = reactor.now
        guard let isWithin = unsafe retryBudget?.withdraw(now: now) else { return true }
        let left = unsafe retryBudget?.balance(now: now) ?? -1
        context.counters.retryBudgetLeft.store(left, ordering: .relaxed)
        if !isWithin { context.counters.retriesRefused.increment() }
        return isWithin
    }

    /// Opens one more connection to an endpoint whose connections all have calls.
    @inline(__always)
    func growPool(of endpoint: ChannelEndpoint) {
        guard settings.configuration.poolSize > 1, unsafe endpoints.areSeveral,
            let slot = endpoint.slotToConnect
        else { return }
        handle(.wanted, in: slot, of: endpoint)
    }
}

extension CallOutcome {
    /// What the code of a reply says of its server: an error that the request or the application causes
    /// is a success.
    init(_ code: RPCErrorCode) {
        switch code {
        case .unavailable, .resourceExhausted: self = .refused
        case .internal, .unknown, .dataLoss, .callTimeout, .failedSerialize: self = .failure
        case .cancelled: self = .ignored
        default: self = .success
        }
    }
}

extension RetryBudget? {
    /// The same with other limits; what has been counted stays.
    func resized(as other: RetryBudget?) -> RetryBudget? {
        guard var own = self, let other else { return other }
        own.percent = other.percent
        own.minimumPerSecond = other.minimumPerSecond
        return own
    }
}
