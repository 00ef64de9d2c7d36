import RocketBase
import RocketReactor
import RocketSystem
import Synchronization

/// A channel's side on its loop: keeps its calls, and hands them to its connections. Bound to the
/// loop.
///
/// Calls come and end here; `+Connections` makes connections, `+Replies` takes what they bring and
/// decides what is sent again.
final class ChannelCore {
    let reactor: Reactor
    let connector: any Connector
    let configuration: RPCChannelConfiguration
    let logger: RocketLogger
    let target: String
    let counters: ChannelCounters
    let feed: StateBroadcaster

    // SAFETY of the unchecked ones: bound to one thread, and no callback runs inside an access to
    // them. The checks cost more than the work.
    @exclusivity(unchecked) var pool: ConnectionPool
    /// Of a channel with one place, its connection, while it is ready: found with no search.
    var only: ClientConnection?
    /// By their places in the pool.
    var current: [ClientConnection?]
    /// Those of the pool, and those that only wait for replies.
    var connections: [ClientConnection] = []
    var connectionsMade = 0
    @exclusivity(unchecked) var pending = PendingCalls<OutgoingCall>()
    /// Those that wait for a connection, or for room on it.
    var waiting = SendQueue()
    /// There is a connection, but none with room: whoever comes stands in the line.
    var isCongested = false
    var isEnrolled = false
    var resting = TimerQueue<CallID>()
    @exclusivity(unchecked) var recent = CompletedCalls()
    /// The last new id that was made.
    @exclusivity(unchecked) private var lastID = CallID.random()
    /// Why the last attempt to connect came to nothing.
    var lastFailure = RPCError(.failedConnect, "not connected")
    var random = SystemRandomNumberGenerator()
    var lastRetirement: MonotonicTime?
    private(set) var isClosed = false
    private var deadlineTimer: DeadlineTimer?
    /// When that one fires, at the latest.
    private var nextExpiry = MonotonicTime.distantFuture
    private var restTimer: DeadlineTimer?

    init(
        reactor: Reactor, connector: any Connector,
        configuration: RPCChannelConfiguration, logger: RocketLogger = .disabled,
        target: String = "",
        counters: ChannelCounters = ChannelCounters(), feed: StateBroadcaster = StateBroadcaster()
    ) {
        self.reactor = reactor
        self.connector = connector
        self.configuration = configuration
        self.logger = logger
        self.target = target
        self.counters = counters
        self.feed = feed
        unsafe pool = ConnectionPool(
            size: configuration.poolSize, backOff: configuration.connectBackOff)
        current = Array(repeating: nil, count: unsafe pool.indices.count)
    }

    // MARK: Calls

    /// Takes a call over: from now on it is answered exactly once.
    func start(_ call: OutgoingCall) {
        if isClosed { return call.fail(RPCError(.channelInit, "the channel is closed")) }
        // Checked here, where a cancellation that came earlier must have left its mark.
        if call.isCancelled {
            return call.fail(RPCError(.cancelled, "the caller gave the call up"))
        }
        if let deadline = unsafe call.terms.deadline, deadline <= reactor.now {
            return call.fail(RPCError(.callTimeout, "the deadline had passed before it was sent"))
        }
        guard unsafe pending.count < configuration.maxCallsInFlight else {
            return call.fail(
                RPCError(.resourceExhausted, "\(unsafe pending.count) calls wait for replies"))
        }
        call.id = makeID(for: call)
        guard
            let slot = unsafe pending.insert(
                call, id: call.id, deadline: unsafe call.terms.deadline)
        else {
            return call.fail(
                RPCError(.channelInit, "a call with the same message id waits for its reply"))
        }
        call.slot = slot
        counted()
        expectDeadline()
        dispatch(slot, call)
    }

    private func makeID(for call: OutgoingCall) -> CallID {
        switch unsafe call.terms.idChoice {
        case .fresh:
            unsafe lastID.increment()
            return unsafe lastID
        case .chosen(let id): return id
        case .inherited(let id):
            if isFree(id) { return id }
            // A late reply to the one must not pass for the other's.
            if let next = CallID.next(after: id), isFree(next) { return next }
            return .random()
        }
    }

    private func isFree(_ id: CallID) -> Bool {
        unsafe pending.find(id) == nil && recent.end(of: id.hash) == nil
    }

    /// The caller gave up.
    func cancel(_ call: OutgoingCall) {
        guard let entry = unsafe pending[call.slot], entry.call === call,
            unsafe pending.remove(call.slot) != nil
        else { return }
        gaveUp(entry, RPCError(.cancelled, "the caller gave the call up"))
    }

    private func gaveUp(_ entry: PendingCalls<OutgoingCall>.Entry, _ error: RPCError) {
        if case .sent(let number, _) = entry.place,
            let connection = connections.first(where: { $0.number == number })
        {
            unsafe recent.note(entry.call.id.hash, .givenUp)
            if configuration.sendsCancel {
                connection.sendCancel(entry.call.id)
                counters.cancelsSent.count()
            }
            carriesOneLess(connection)
        }
        counted()
        entry.call.fail(error)
    }

    /// Ends a call that was not sent.
    func fail(_ slot: Int, _ error: RPCError) {
        guard let call = unsafe pending.remove(slot) else { return }
        counted()
        call.fail(error)
    }

    func counted() { counters.callsInFlight.store(unsafe pending.count, ordering: .relaxed) }

    // MARK: Deadlines and rests

    private func expectDeadline() {
        guard let deadline = unsafe pending.nextDeadline, deadline < nextExpiry else { return }
        nextExpiry = deadline
        if deadlineTimer == nil {
            deadlineTimer = DeadlineTimer(on: reactor, label: "call deadline") {
                [unowned self] in expire()
            }
        }
        deadlineTimer?.expect(deadline)
    }

    private func expire() {
        nextExpiry = .distantFuture
        while let entry = unsafe pending.removeExpired(now: reactor.now) {
            gaveUp(entry, deadlinePassed(entry))
        }
        expectDeadline()
    }

    private func deadlinePassed(_ entry: PendingCalls<OutgoingCall>.Entry) -> RPCError {
        if case .sent = entry.place {
            return RPCError(.callTimeout, "the deadline passed before the reply")
        }
        return RPCError(
            .callTimeout, "the deadline passed before the call could be sent", cause: lastFailure)
    }

    /// Sends that call again when the time has come.
    func rest(_ slot: Int, for duration: Duration) {
        let id = unsafe pending.id(in: slot)
        unsafe pending.move(slot, to: .resting)
        _ = resting.insert(at: reactor.now + duration, id)
        if restTimer == nil {
            restTimer = DeadlineTimer(on: reactor, label: "call retry") { [unowned self] in
                restsEnd()
            }
        }
        restTimer?.expect(resting.earliest)
    }

    private func restsEnd() {
        while let (_, id) = resting.popExpired(now: reactor.now) {
            guard let slot = unsafe pending.find(id), let entry = unsafe pending[slot],
                entry.place == .resting
            else { continue }
            unsafe pending.move(slot, to: .waiting)
            dispatch(slot, entry.call, avoiding: entry.lastConnection)
        }
        restTimer?.expect(resting.earliest)
    }

    // MARK: The end

    /// Every call ends with CHANNEL_INIT; a server that works on one is told. Again: nothing.
    func close() {
        if isClosed { return }
        isClosed = true
        for connection in connections {
            if connection.callsInFlight == 0 {
                connection.close(.now)
            } else if connection.transport?.signalsReset ?? true {
                connection.close(.reset)
            } else {
                for (slot, _) in unsafe pending.sent(on: connection.number) {
                    unsafe connection.sendCancel(pending.id(in: slot))
                }
                connection.close(.afterFlush)
            }
        }
        connections = []
        only = nil
        current = current.map { _ in nil }
        for place in unsafe pool.indices {
            _ = unsafe pool.handle(.close, at: place, using: &random)
        }
        feed.publish(.closed)
        deadlineTimer?.cancel()
        restTimer?.cancel()
        for call in unsafe pending.removeAll() {
            call.fail(RPCError(.channelInit, "the channel was closed"))
        }
        counted()
    }
}
