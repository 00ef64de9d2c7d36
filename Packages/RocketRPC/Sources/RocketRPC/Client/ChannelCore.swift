import RocketBalancing
import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP
import Synchronization

/// The part of a channel that runs on its loop: sends calls over the channel's connections, sends
/// them again where that is allowed, and ends each exactly once. Bound to the loop.
///
/// A call enters by `start`, waits in `sendQueue` where no connection has room, and leaves by its
/// reply (`received`), its deadline, its cancellation, the end of its connection or `close`.
final class ChannelCore {
    let context: ChannelContext
    private(set) var settings: ChannelSettings
    let reactor: Reactor

    // SAFETY of the unchecked properties: bound to one thread, and nothing that runs inside an
    // access to one of them uses the core. The checks cost more than the work.
    @exclusivity(unchecked) var endpoints: ChannelEndpoints
    @exclusivity(unchecked) var pending = PendingCalls<OutgoingCall>()
    @exclusivity(unchecked) var hedged = HedgedCalls()
    @exclusivity(unchecked) var completed = CompletedCalls()
    @exclusivity(unchecked) var ids: CallIDSource
    /// That of the settings, for each call.
    @exclusivity(unchecked) private var maxCallsInFlight: Int
    /// How many calls may be sent again; nil: any number.
    @exclusivity(unchecked) var retryBudget: RetryBudget?
    /// See `goingAway`.
    var goAwaysWithoutReply = 0
    /// The ids of calls that wait to be sent, in their order. May contain ids of calls that have
    /// ended since; those are skipped.
    private(set) var sendQueue = RingBuffer<CallID>()
    /// A connection is ready, but none has room: new calls queue behind those that wait. Ends with
    /// `becameWritable`.
    var isCongested = false
    /// Why the last connection ended or was not made, or the name was not resolved.
    var lastFailure = RPCError(.failedConnect, "not connected")
    private(set) var isClosed = false
    /// The name that is being resolved; nil: the endpoints are fixed, or nobody has called yet.
    var resolution: (any RPCResolution)?
    /// How many names have been resolved so far: reports of an earlier one are dropped.
    var resolutionNumber = 0
    /// The last list of endpoints, as it was found.
    var found: [RPCEndpoint] = []
    /// Whether each of several endpoints is connected to: from the first call on.
    var isAwake = false
    private lazy var deadlineTimer = DeadlineTimer(on: reactor, label: "call deadline") {
        [unowned self] in expire()
    }
    /// When `deadlineTimer` fires, at the latest.
    private var nextExpiry = MonotonicTime.distantFuture
    private(set) lazy var retries = RetryQueue(on: reactor) { [unowned self] in backOffEnded($0) }

    private(set) lazy var hedgeTimer = DeadlineTimer(on: reactor, label: "call hedge") {
        [unowned self] in sendHedges()
    }

    init(_ context: ChannelContext, on reactor: Reactor) {
        self.context = context
        settings = context.settings
        self.reactor = reactor
        unsafe ids = CallIDSource(random: reactor.random)
        unsafe endpoints = ChannelEndpoints(settings.configuration, random: reactor.random)
        unsafe retryBudget = settings.configuration.retry.budget
        unsafe maxCallsInFlight = settings.configuration.maxCallsInFlight
        if case .fixed(let endpoints) = settings.source { replace(endpoints) }
    }

    /// Takes over other settings; calls in flight go on.
    ///
    /// - Parameter replacesConnections: whether the connections are replaced, too: new calls are sent
    ///   on new ones, and each old one is closed when its last call has ended.
    func apply(_ new: ChannelSettings, replacesConnections: Bool) {
        if isClosed { return }
        let isSameSource = new.source.isSame(as: settings.source)
        new.policies?.adoptTimes(of: settings.policies)
        settings = new
        unsafe maxCallsInFlight = new.configuration.maxCallsInFlight
        unsafe endpoints.configure(new.configuration)
        unsafe retryBudget = retryBudget.resized(as: new.configuration.retry.budget)
        if !isSameSource {
            resolution?.cancel()
            resolution = nil
            resolutionNumber += 1
        }
        if case .fixed(let list) = new.source { found = list }
        if !found.isEmpty { replace(found, replacesConnections: replacesConnections) }
        // A new name is looked up, and the servers of the last one stay until it is found.
        if unsafe !isSameSource && (isAwake || endpoints.state != .idle) { resolve() }
    }

    // MARK: Calls

    /// Takes a call over: from now on the core ends it, exactly once.
    func start(_ call: OutgoingCall) {
        if isClosed { return call.fail(.channelInit, "the channel is closed") }
        // Cancelled before it was here to be found by `cancel`.
        if call.isCancelled { return call.fail(Self.cancelled) }
        if let deadline = unsafe call.parameters.deadline, deadline <= reactor.now {
            return call.fail(.callTimeout, "the deadline had passed before the call was sent")
        }
        guard unsafe pending.count < maxCallsInFlight else {
            return call.fail(
                .resourceExhausted, "\(unsafe pending.count) calls are in flight, the most")
        }
        call.id = unsafe ids.next(unsafe call.parameters.idChoice) { id in
            unsafe pending.find(id) == nil && completed.ending(of: id.hash) == nil
        }
        let deadline = unsafe call.parameters.deadline
        guard let slot = unsafe pending.insert(call, id: call.id, deadline: deadline) else {
            return call.fail(.channelInit, "a call with the same msg_id is in flight")
        }
        call.slot = slot
        unsafe retryBudget?.began(now: reactor.now)
        updateCallsInFlight()
        expectDeadline()
        sendOrQueue(slot, call)
    }

    static let cancelled = RPCError(.cancelled, "the caller cancelled the call")

    /// Ends a call that its caller has cancelled; no effect where it has ended.
    func cancel(_ call: OutgoingCall) {
        if let entry = unsafe pending[call.slot], entry.call === call {
            fail(call.slot, Self.cancelled)
        }
    }

    func fail(_ slot: Int, _ error: RPCError) {
        guard let entry = unsafe pending[slot], unsafe pending.remove(slot) != nil else { return }
        abandon(entry, error)
    }

    /// Ends a removed call without a reply, and notifies the server where that has the request.
    private func abandon(_ entry: PendingCalls<OutgoingCall>.Entry, _ error: RPCError) {
        if case .sent(let number, _) = entry.stage {
            unsafe completed.record(entry.call.id.hash, .unanswered)
            if let connection = unsafe endpoints.find(number) {
                attemptEnded(
                    entry.call, began: entry.balancedSince, on: connection,
                    error.code == .callTimeout ? .failure : .ignored)
                if settings.rules.sendsCancel {
                    connection.sendCancel(entry.call.id)
                    context.counters.cancelsSent.increment()
                }
                callEnded(on: connection)
                // The peer may still work on the call.
                if settings.rules.isExclusive { retire(connection) }
                // Parked calls may have waited for this reply.
                if connection.exchange.hasParked { sendParked(on: connection) }
            }
        }
        if entry.call.hedge >= 0 { hedgedCallEnded(entry.call) }
        updateCallsInFlight()
        entry.call.fail(error)
    }

    func updateCallsInFlight() {
        context.counters.callsInFlight.store(unsafe pending.count, ordering: .relaxed)
    }

    private func expectDeadline() {
        guard let deadline = unsafe pending.nextDeadline, deadline < nextExpiry else { return }
        nextExpiry = deadline
        deadlineTimer.expect(deadline)
    }

    private static let parkedText =
        "the deadline passed before the server told whether it takes the call's metadata, "
        + "which has more than \(MetadataBlock.defaultLimitBytes) bytes"

    private func expire() {
        nextExpiry = .distantFuture
        var unanswered: [Int] = []
        while let entry = unsafe pending.removeExpired(now: reactor.now) {
            switch entry.stage {
            case .sent(let number, let end):
                abandon(entry, RPCError(.callTimeout, "the deadline passed before the reply"))
                replaceSilent(number, since: end)
            case .parked(let number):
                abandon(entry, RPCError(.callTimeout, Self.parkedText))
                if !unanswered.contains(number) { unanswered.append(number) }
            case .waiting, .backingOff:
                let text = "the deadline passed before the call could be sent"
                let isReady = unsafe endpoints.state == .ready
                abandon(entry, RPCError(.callTimeout, text, cause: isReady ? nil : lastFailure))
            }
        }
        // Not before all have ended: it sends the other parked calls on another connection.
        for number in unanswered { replaceUnanswering(number) }
        expectDeadline()
    }

    // MARK: Sending

    /// Sends a call in the stage `waiting`, or queues it, or ends it.
    ///
    /// - Parameter avoided: the number of a connection that is used only when there is no other.
    func sendOrQueue(_ slot: Int, _ call: OutgoingCall, avoiding avoided: Int? = nil) {
        if isCongested {
            queue(slot, call)
            if settings.rules.isExclusive { openConnections() }
            return
        }
        if let only = unsafe endpoints.only, send(slot, call, on: only) { return }
        if settings.rules.isExclusive { replaceUsed(call.id) }
        openConnections()
        let key = unsafe call.parameters.balancingKey
        if let connection = unsafe endpoints.next(key: key, avoiding: avoided, now: reactor.now),
            send(slot, call, on: connection)
        {
            growPool(of: connection.endpoint)
            return
        }
        switch unsafe endpoints.state {
        case .ready: isCongested = true
        case .transientFailure
        where unsafe !call.waits(byDefault: settings.configuration.waitsForReady)
            && pending[slot]?.attempts == 0:
            return fail(slot, lastFailure)
        default: break
        }
        queue(slot, call)
    }

    /// - Returns: false where the connection has no room for the call.
    private func send(_ slot: Int, _ call: OutgoingCall, on connection: ClientConnection) -> Bool {
        do throws(RPCError) {
            guard let end = try connection.send(call, now: reactor.now) else { return false }
            unsafe pending.move(slot, to: .sent(on: connection.number, end: end))
            connection.endpoint.callBegan(on: connection)
            if unsafe endpoints.areSeveral { attemptBegan(slot, call, on: connection) }
        } catch {
            if connection.exchange.parks(call.id) {
                parked(slot, on: connection)
            } else {
                fail(slot, error)
            }
        }
        return true
    }

    /// Appends a call to the send queue; fails a new call where the queue is full.
    private func queue(_ slot: Int, _ call: OutgoingCall) {
        // The queue also holds calls that have ended since they were queued.
        if unsafe sendQueue.count > 2 * pending.waitingCount + 64 {
            sendQueue.removeAll { unsafe !pending.isWaiting($0) }
        }
        if unsafe pending.waitingCount > settings.configuration.maxCallsWaiting,
            unsafe pending[slot]?.attempts == 0
        {
            let text = "\(settings.configuration.maxCallsWaiting) calls wait to be sent, the most"
            return fail(slot, RPCError(.resourceExhausted, text))
        }
        sendQueue.append(call.id)
    }

    /// Sends queued calls, in their order, while a connection has room.
    func sendQueued() {
        isCongested = false
        while !sendQueue.isEmpty, unsafe endpoints.firstWithRoom != nil {
            guard let id = sendQueue.popFirst(), let slot = unsafe pending.find(id),
                let entry = unsafe pending[slot], entry.stage == .waiting
            else { continue }
            sendOrQueue(slot, entry.call, avoiding: entry.lastConnection)
        }
        if !sendQueue.isEmpty, unsafe endpoints.state == .ready {
            isCongested = true
            if settings.rules.isExclusive { openConnections() }
        }
    }

    /// A connection has room again.
    func becameWritable() {
        if isCongested, !isClosed { sendQueued() }
    }

    /// Ends the queued calls that must not wait any longer, after a failure to connect.
    func failQueued(_ error: RPCError) {
        for _ in 0..<sendQueue.count {
            guard let id = sendQueue.popFirst(), let slot = unsafe pending.find(id),
                let entry = unsafe pending[slot], entry.stage == .waiting
            else { continue }
            if !entry.call.waits(byDefault: settings.configuration.waitsForReady) {
                guard entry.attempts > 0, entry.attempts < maxAttempts(of: entry.call)
                else {
                    fail(slot, error)
                    continue
                }
                // Sent before: the failure to connect counts as one attempt.
                unsafe pending.countAttempt(of: slot)
            }
            sendQueue.append(id)
        }
    }

    // MARK: Close

    /// Closes all connections and ends every call with CHANNEL_INIT. Again: no effect.
    func close() {
        if isClosed { return }
        isClosed = true
        resolution?.cancel()
        resolution = nil
        for connection in unsafe endpoints.removeAll() {
            connection.close(cancelling: idsSent(on: connection.number))
        }
        context.broadcaster.publish(.closed)
        deadlineTimer.cancel()
        retries.cancel()
        hedgeTimer.cancel()
        unsafe hedged.removeAll()
        for call in unsafe pending.removeAll() {
            call.hedge = -1
            call.fail(.channelInit, "the channel was closed")
        }
        updateCallsInFlight()
    }
}
