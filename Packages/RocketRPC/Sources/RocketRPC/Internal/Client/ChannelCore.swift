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
    let connector: any ClientConnector
    let configuration: RPCChannelConfiguration
    let logger: Logger
    let target: String
    let counters: ChannelCounters
    let feed: ChannelStateFeed

    var pool: ConnectionPool
    /// By their places in the pool.
    var current: [ClientConnection?]
    /// Those of the pool, and those that only wait for replies.
    var connections: [ClientConnection] = []
    var connectionsMade = 0
    var pending = PendingCalls<any OutgoingCall>()
    /// In order, those that wait for a connection; and some that do so no more.
    var waiting: [CallID] = []
    var resting = TimerQueue<CallID>()
    var recent = RecentCalls()
    /// Why the last attempt to connect came to nothing.
    var lastFailure = RPCError(.failedConnect, "not connected")
    var random = SystemRandomNumberGenerator()
    var lastRetirement: MonotonicTime?
    private(set) var isClosed = false
    private var deadlineTimer: EarliestTimer?
    private var restTimer: EarliestTimer?

    init(
        reactor: Reactor, connector: any ClientConnector,
        configuration: RPCChannelConfiguration, logger: Logger = .disabled, target: String = "",
        counters: ChannelCounters = ChannelCounters(), feed: ChannelStateFeed = ChannelStateFeed()
    ) {
        self.reactor = reactor
        self.connector = connector
        self.configuration = configuration
        self.logger = logger
        self.target = target
        self.counters = counters
        self.feed = feed
        pool = ConnectionPool(
            size: configuration.poolSize, backOff: configuration.connectBackOff)
        current = Array(repeating: nil, count: pool.indices.count)
    }

    // MARK: Calls

    /// Takes a call over: from now on it is answered exactly once.
    func start(_ call: any OutgoingCall) {
        if isClosed { return call.fail(RPCError(.channelInit, "the channel is closed")) }
        // Checked here, where a cancellation that came earlier must have left its mark.
        if call.isCancelled {
            return call.fail(RPCError(.cancelled, "the caller gave the call up"))
        }
        if let deadline = call.deadline, deadline <= reactor.now {
            return call.fail(RPCError(.callTimeout, "the deadline had passed before it was sent"))
        }
        guard pending.count < configuration.maxCallsInFlight else {
            return call.fail(
                RPCError(.resourceExhausted, "\(pending.count) calls wait for replies"))
        }
        let id = makeID(for: call)
        guard pending.insert(call, id: id, deadline: call.deadline) else {
            return call.fail(
                RPCError(.channelInit, "a call with the same message id waits for its reply"))
        }
        call.id = id
        counted()
        expectDeadline()
        dispatch(id, call)
    }

    private func makeID(for call: any OutgoingCall) -> CallID {
        switch call.idChoice {
        case .fresh: return .next()
        case .chosen(let id): return id
        case .inherited(let id):
            if isFree(id) { return id }
            // A late reply to the one must not pass for the other's.
            if let next = CallID.next(after: id), isFree(next) { return next }
            return .next()
        }
    }

    private func isFree(_ id: CallID) -> Bool {
        !pending.contains(id) && recent.end(of: id) == nil
    }

    /// The caller gave up.
    func cancel(_ call: any OutgoingCall) {
        guard let id = call.id, pending[id]?.call === call else { return }
        giveUp(id, RPCError(.cancelled, "the caller gave the call up"))
    }

    private func giveUp(_ id: CallID, _ error: RPCError) {
        guard let entry = pending.remove(id) else { return }
        gaveUp(id, entry, error)
    }

    private func gaveUp(
        _ id: CallID, _ entry: PendingCalls<any OutgoingCall>.Entry, _ error: RPCError
    ) {
        if case .sent(let number, _) = entry.place,
            let connection = connections.first(where: { $0.number == number })
        {
            recent.note(id, .givenUp)
            if configuration.sendsCancel {
                connection.sendCancel(id)
                counters.cancelsSent.count()
            }
            carriesOneLess(connection)
        }
        counted()
        entry.call.fail(error)
    }

    /// Ends a call that was not sent.
    func fail(_ id: CallID, _ error: RPCError) {
        guard let entry = pending.remove(id) else { return }
        counted()
        entry.call.fail(error)
    }

    func counted() { counters.callsInFlight.store(pending.count, ordering: .relaxed) }

    // MARK: Deadlines and rests

    private func expectDeadline() {
        if deadlineTimer == nil {
            deadlineTimer = EarliestTimer(on: reactor, label: "call deadline") {
                [unowned self] in expire()
            }
        }
        deadlineTimer?.expect(pending.nextDeadline)
    }

    private func expire() {
        while let (id, entry) = pending.removeExpired(now: reactor.now) {
            gaveUp(id, entry, deadlinePassed(entry))
        }
        expectDeadline()
    }

    private func deadlinePassed(_ entry: PendingCalls<any OutgoingCall>.Entry) -> RPCError {
        if case .sent = entry.place {
            return RPCError(.callTimeout, "the deadline passed before the reply")
        }
        return RPCError(
            .callTimeout, "the deadline passed before the call could be sent", cause: lastFailure)
    }

    /// Sends that call again when the time has come.
    func rest(_ id: CallID, for duration: Duration) {
        pending.move(id, to: .resting)
        _ = resting.insert(at: reactor.now + duration, id)
        if restTimer == nil {
            restTimer = EarliestTimer(on: reactor, label: "call retry") { [unowned self] in
                restsEnd()
            }
        }
        restTimer?.expect(resting.earliest)
    }

    private func restsEnd() {
        while let (_, id) = resting.popExpired(now: reactor.now) {
            guard let entry = pending[id], entry.place == .resting else { continue }
            pending.move(id, to: .waiting)
            dispatch(id, entry.call, avoiding: entry.lastConnection)
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
            } else if connection.transport?.resetIsSeen ?? true {
                connection.close(.reset)
            } else {
                for (id, _) in pending.sent(on: connection.number) { connection.sendCancel(id) }
                connection.close(.afterFlush)
            }
        }
        connections = []
        current = current.map { _ in nil }
        for place in pool.indices { _ = pool.handle(.close, at: place, using: &random) }
        feed.publish(.closed)
        deadlineTimer?.cancel()
        restTimer?.cancel()
        while let (_, entry) = pending.removeAny() {
            entry.call.fail(RPCError(.channelInit, "the channel was closed"))
        }
        counted()
    }
}
