import RocketBalancing
import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import Synchronization

/// Decides for one loop which calls are begun under overload. Asked before each call begins, and told
/// of its end; exists only while a setting is on. Bound to its loop.
///
/// A call's delay is measured from the tick in which its bytes were read, plus half of the time that
/// the tick before took: the bytes waited in the kernel meanwhile. So it is also seen where
/// synchronous handlers keep the loop busy. While calls wait for much less than the target, the clock
/// is read for one call of 16 and for the first one of each tick only.
final class AdmissionControl {
    private let reactor: Reactor
    private let time: any TimeSource
    private let policy: OverloadPolicy
    private let entries: [_MethodEntry]
    private var settings: OverloadPolicy.Settings
    private(set) var generation: Int

    private var queue: QueueDelayController?
    private var methods: [MethodAdmission]
    /// Whether each call's delay is measured.
    private var isWatching = false
    /// Delays above this are watched.
    private var watchedDelay = Duration.zero
    private var callsUntilSample = 0
    private var sampledTick = MonotonicTime(nanoseconds: 0)
    /// The time at which the last call was measured.
    private var moment: MonotonicTime
    /// Of the call that was admitted last, until it begins.
    private var admitted = AdmittedCall()
    /// Nil until a call is refused.
    // SAFETY: bound to the loop, and nothing that runs inside an access uses the object.
    @exclusivity(unchecked) private var replies: RefusalFrames?

    private static let callsPerSample = 16

    init(_ policy: OverloadPolicy, _ entries: [_MethodEntry], on reactor: Reactor) {
        self.reactor = reactor
        self.policy = policy
        self.entries = entries
        time = reactor.loop.time
        moment = reactor.now
        (settings, generation) = policy.current
        let (settings, most) = (settings, entries.map(\.index).max() ?? -1)
        methods = (0...max(0, most)).map { _ in MethodAdmission() }
        adopt(settings)
    }

    /// Whether any call can be refused.
    var isActive: Bool { settings.isActive }

    /// Adopts changed settings. Calls that run already are still counted where they were.
    func update() {
        (settings, generation) = policy.current
        adopt(settings)
    }

    private func adopt(_ settings: OverloadPolicy.Settings) {
        if let target = settings.queueDelay {
            if queue == nil { queue = QueueDelayController() }
            queue?.target = target
            watchedDelay = target / 4
        } else {
            if queue?.isOverloaded == true { policy.counters.loops(-1) }
            queue = nil
            isWatching = false
        }
        for entry in entries {
            methods[entry.index].adopt(settings, entry)
        }
    }

    // MARK: Before a call

    /// Returns why a call is not begun now; nil: it is, and `began` follows.
    ///
    /// - Parameters:
    ///   - info: the err_info of its request if that is metadata; empty: it has none.
    ///   - timeout: the milliseconds until its deadline when it was sent; nil: it has none.
    ///   - isQueued: whether the connection has waited for a handler task.
    func refusal(
        of method: _MethodEntry, _ info: RawSpan, timeout: Int64?, on connection: ServerConnection,
        isQueued: Bool
    ) -> OverloadRefusal? {
        admitted = AdmittedCall()
        if method.isAlwaysAdmitted { return nil }
        if settings.callsPerSecond > 0,
            !connection.callerIsWithin(policy.rates, now: reactor.now)
        {
            return .rate
        }
        let index = method.index
        let isMeasured = methods[index].isMeasured
        guard isMeasured || queue != nil && samples() else { return nil }
        moment = time.monotonic()
        let delay = delay(of: connection, isQueued: isQueued)
        var priority = CallPriority.standard
        if info.byteCount > 0, methods[index].isLimited || queue?.isOverloaded == true {
            priority = CallPriority(info, acceptsCritical: settings.acceptsCritical)
        }
        if queue != nil, !isShort(delay, priority) { return .queueDelay }
        if !isMeasured { return nil }
        if settings.refusesLateCalls, let timeout,
            !methods[index].lateness.admits(
                remaining: .milliseconds(timeout) - delay, now: moment)
        {
            return .late
        }
        if methods[index].isLimited {
            if !methods[index].limit.begin(priority: priority) { return .adaptiveLimit }
            admitted.isLimited = true
        }
        admitted.startedAt = max(1, moment.nanoseconds)
        return nil
    }

    /// Whether the delay of the next call is measured.
    private func samples() -> Bool {
        if isWatching { return true }
        callsUntilSample -= 1
        if callsUntilSample >= 0, sampledTick == reactor.now { return false }
        callsUntilSample = Self.callsPerSample
        sampledTick = reactor.now
        return true
    }

    /// How long the call has waited, estimated: see the type.
    private func delay(of connection: ServerConnection, isQueued: Bool) -> Duration {
        let tick = reactor.now
        let since = isQueued ? min(connection.waitingSince, tick) : tick
        // The frames behind it may have arrived in this tick.
        connection.waitingSince = tick
        let waited = moment.nanoseconds &- min(since.nanoseconds, moment.nanoseconds)
        let inKernel = since == tick ? reactor.latenessNanoseconds / 2 : 0
        return .nanoseconds(Int64(clamping: waited &+ inKernel))
    }

    private func isShort(_ delay: Duration, _ priority: CallPriority) -> Bool {
        guard let before = queue?.isOverloaded,
            let admits = queue?.admits(delay: delay, priority: priority, now: moment),
            let after = queue?.isOverloaded
        else { return true }
        if before != after { policy.counters.loops(after ? 1 : -1) }
        isWatching = after || delay > watchedDelay
        return admits
    }

    /// Appends the reply of a refused call.
    ///
    /// - Parameter codec: that of all connections of the loop.
    @inline(__always)
    func appendReply(
        _ refusal: OverloadRefusal, of method: _MethodEntry, _ messageID: RawSpan,
        _ codec: TinyPBCodec, to output: inout ByteBuffer
    ) {
        if unsafe replies == nil {
            unsafe replies = RefusalFrames(codec: codec, methods: methods.count)
        }
        unsafe replies?.append(refusal, of: method, messageID, to: &output)
    }

    // MARK: A call's life

    /// The call that was admitted begins.
    func began(_ call: CallResponder) { call.admitted = admitted }

    /// The handler of a call has returned.
    func ended(_ call: CallResponder) {
        let ended = call.admitted
        call.admitted = AdmittedCall()
        guard let entry = call.method else { return }
        let now = time.monotonic()
        let start = min(ended.startedAt, now.nanoseconds)
        let duration: Duration? =
            ended.isSample ? .nanoseconds(Int64(clamping: now.nanoseconds - start)) : nil
        methods[entry.index].ended(ended, after: duration, now: now, entry)
    }
}

/// What is known of a call that was admitted, until its handler returns. A value.
struct AdmittedCall {
    /// When it began, in nanoseconds; 0: nobody asks how long it runs.
    var startedAt: UInt64 = 0
    /// Whether it counts against the limit of its method.
    var isLimited = false
    /// Whether its duration says something of the load: it was neither cancelled nor failed, nor did
    /// its reply wait for a slow peer.
    var isSample = true
}

/// The admission of one method's calls on one loop. A value.
private struct MethodAdmission {
    /// Whether the durations of its calls are measured.
    var isMeasured = false
    var isLimited = false
    var lateness = DeadlineRefusal()
    var limit = Gradient2Limit()
    /// What of the limit the method's entry contains.
    private var published = 0

    mutating func adopt(_ settings: OverloadPolicy.Settings, _ entry: _MethodEntry) {
        // A stream's duration says nothing of the load, and calls of a synchronous method are never
        // in flight together.
        let isUnary = entry.kind == .unary
        let wasLimited = isLimited
        isLimited =
            isUnary && !entry.isSynchronous
            && settings.adaptive.contains { $0.matches(entry.fullName) }
        isMeasured = isUnary && settings.refusesLateCalls || isLimited
        if isLimited, !wasLimited, limit.inFlight == 0 {
            var configuration = Gradient2Limit.Configuration()
            configuration.initialLimit = max(1, configuration.initialLimit / settings.loops)
            configuration.minLimit = max(1, configuration.minLimit / settings.loops)
            limit = Gradient2Limit(configuration)
        }
        publish(entry)
    }

    mutating func ended(
        _ call: AdmittedCall, after duration: Duration?, now: MonotonicTime, _ entry: _MethodEntry
    ) {
        if let duration { lateness.record(duration, now: now) }
        if !call.isLimited { return }
        limit.ended(after: duration, now: now)
        if isLimited, limit.limit != published { publish(entry) }
    }

    private mutating func publish(_ entry: _MethodEntry) {
        let limit = isLimited ? limit.limit : 0
        entry.settings.adaptiveLimit.wrappingAdd(limit - published, ordering: .relaxed)
        published = limit
    }
}

extension ServerConnection {
    /// Returns whether the caller of the call that was inspected last may make it by its rate, which
    /// then counts.
    @inline(__always)
    fileprivate func callerIsWithin(_ rates: CallerRates, now: MonotonicTime) -> Bool {
        // Two comparisons: the result of a conditional expression would be retained.
        if let knownCaller {
            if let checked = access?.peersOfCall {
                if knownCaller.peers === checked { return rates.admits(knownCaller, now: now) }
            } else if knownCaller.peers === peers {
                return rates.admits(knownCaller, now: now)
            }
        }
        return newCallerIsWithin(rates, now: now)
    }

    private func newCallerIsWithin(_ rates: CallerRates, now: MonotonicTime) -> Bool {
        let key = CallerKey(access?.peersOfCall ?? peers)
        knownCaller = key
        return rates.admits(key, now: now)
    }
}
