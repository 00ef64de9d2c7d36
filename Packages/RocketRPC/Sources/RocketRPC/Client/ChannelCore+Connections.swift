import RocketBalancing
import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP

// The endpoints of a channel, and their connections: opened, replaced and closed.

extension ChannelCore {
    // MARK: The list of endpoints

    /// Begins to resolve the name, with the first call.
    func resolve() {
        guard resolution == nil, !isClosed,
            case .resolved(let resolver, let target) = settings.source
        else { return }
        isAwake = true
        unsafe endpoints.without(.connecting)
        context.broadcaster.publish(unsafe endpoints.state)
        let (counters, number) = (context.counters, resolutionNumber)
        let report = RPCResolverReport(on: reactor.loop) { reactor, result in
            guard let core = LoopChannels.of(reactor).core(countedBy: counters),
                core.resolutionNumber == number
            else { return }
            core.resolved(result)
        }
        // Not part of the call that a handler makes.
        CallContext.$current.withValue(nil) {
            resolution = resolver.start(target, on: reactor, report: report)
        }
    }

    /// The resolver has found something, or has failed: then the last list stays.
    func resolved(_ result: Result<[RPCEndpoint], RPCError>) {
        if isClosed { return }
        let error: RPCError
        switch result {
        case .success(let list) where list.contains { !$0.addresses.isEmpty }:
            context.counters.resolutions.increment()
            return replace(Array(list.filter { !$0.addresses.isEmpty }.prefix(Self.maxEndpoints)))
        case .success: error = RPCError(.unavailable, "'\(context.target)' has no servers")
        case .failure(let failure): error = failure
        }
        context.counters.resolutionFailures.increment()
        let count = unsafe endpoints.list.count
        context.logger.throttled(.warn, "name not resolved")?.warn("name not resolved") {
            $0.add("target", context.target)
            $0.add("detail", error.message)
            $0.add("endpoints", count)
        }
        if count > 0 { return }
        lastFailure = error
        unsafe endpoints.without(.transientFailure)
        context.broadcaster.publish(unsafe endpoints.state)
        failQueued(error)
    }

    private static let maxEndpoints = 10_000

    /// Takes over a list of endpoints.
    ///
    /// - Parameter replacesConnections: whether endpoints that stay get new connections, too.
    func replace(_ list: [RPCEndpoint], replacesConnections: Bool = false) {
        found = list
        let configuration = settings.configuration
        var replaced: [ChannelEndpoint] = []
        let removed = unsafe endpoints.replace(merged(list)) { endpoint, index, old in
            let connector = settings.connector(endpoint)
            guard let old, !replacesConnections else {
                if let old { replaced.append(old) }
                return ChannelEndpoint(
                    endpoint, connector, index: index, poolSize: configuration.poolSize,
                    backOff: configuration.connectBackOff)
            }
            old.update(endpoint, connector)
            return old
        }
        for endpoint in removed + replaced { close(endpoint) }
        if configuration.balancing.policy == .pickFirst {
            for connection in unsafe endpoints.list.flatMap(\.outdated) { retire(connection) }
        }
        if isAwake { connectAll() }
        context.broadcaster.publish(unsafe endpoints.state)
        if unsafe pending.waitingCount > 0 { reconsiderQueued() }
    }

    /// With pick_first one endpoint has all addresses, so that the first that answers is used.
    private func merged(_ list: [RPCEndpoint]) -> [RPCEndpoint] {
        guard settings.configuration.balancing.policy == .pickFirst, let first = list.first else {
            return list
        }
        return [RPCEndpoint(list.flatMap(\.addresses), host: first.host)]
    }

    /// An endpoint is not in the list any more: its calls end, new ones are sent elsewhere.
    private func close(_ endpoint: ChannelEndpoint) {
        for connection in unsafe endpoints.close(endpoint) {
            if connection.isConnected {
                retire(connection)
            } else {
                unsafe endpoints.remove(connection)
                connection.close(.now)
            }
        }
    }

    // MARK: Opening

    /// Opens a connection where none is ready, so that the next call need not wait for it.
    func connect() {
        if unsafe endpoints.state != .ready { openConnections() }
    }

    /// Opens the first connection, or one more where all have calls; one to each of several endpoints.
    /// A connection in memory is ready at once.
    func openConnections() {
        guard let first = unsafe endpoints.list.first else { return resolve() }
        if unsafe endpoints.areSeveral {
            if !isAwake { connectAll() }
        } else if let slot = first.slotToConnect {
            handle(.wanted, in: slot, of: first)
        }
    }

    private func connectAll() {
        isAwake = true
        for endpoint in unsafe endpoints.list {
            if let slot = endpoint.slotToConnect { handle(.wanted, in: slot, of: endpoint) }
        }
    }

    /// Passes an event of a slot on, and does what results from it.
    func handle(_ event: Connectivity.Event, in slot: Int, of endpoint: ChannelEndpoint) {
        let action = unsafe endpoints.handle(event, in: slot, of: endpoint)
        unsafe endpoints.stateChanged(of: endpoint)
        switch action {
        case .nothing:
            // Each of several endpoints stays connected.
            if isAwake, event != .wanted, unsafe endpoints.areSeveral, endpoint.isListed,
                endpoint.state == .idle
            {
                return handle(.wanted, in: slot, of: endpoint)
            }
        case .connect: unsafe endpoints.add(in: slot, of: endpoint, self).connect(on: reactor)
        case .backOff(let duration): backOff(endpoint, slot, duration)
        }
        context.broadcaster.publish(unsafe endpoints.state)
    }

    private func backOff(_ endpoint: ChannelEndpoint, _ slot: Int, _ duration: Duration) {
        context.logger.throttled(.warn, "server not reachable")?.warn("server not reachable") {
            $0.add("target", context.target)
            $0.add("detail", lastFailure.message)
            $0.add("retry_ms", duration.wholeNanoseconds / 1_000_000)
        }
        resolution?.refresh()
        reactor.schedule(after: duration, label: "connect back-off") { [self] _ in
            if isClosed || !endpoint.isListed { return }
            let isWanted = unsafe pending.waitingCount > 0 || endpoints.areSeveral
            handle(.backOffEnded(wanted: isWanted), in: slot, of: endpoint)
        }
    }

    func connected(_ connection: ClientConnection) {
        guard let slot = connection.poolSlot else { return }
        context.counters.connects.increment()
        unsafe endpoints.becameReady(connection)
        handle(.connected, in: slot, of: connection.endpoint)
        sendQueued()
    }

    func connectFailed(_ connection: ClientConnection, _ error: RPCError) {
        guard let slot = connection.poolSlot else { return }
        context.counters.connectFailures.increment()
        unsafe endpoints.remove(connection)
        lastFailure = error
        handle(.failed, in: slot, of: connection.endpoint)
        if unsafe endpoints.state == .transientFailure { failQueued(error) }
    }

    // MARK: Ends

    func callEnded(on connection: ClientConnection) {
        if connection.endpoint.callEnded(on: connection) { closeRetired(connection) }
    }

    private func closeRetired(_ connection: ClientConnection) {
        unsafe endpoints.remove(connection)
        // What a peer has not read that takes one call at a time, it will not answer.
        connection.close(settings.rules.isExclusive ? .now : .afterFlush)
    }

    /// Takes a connection out of its slot, which a new one takes when it is needed, and closes it
    /// when its last call has ended.
    ///
    /// - Parameter failure: why its peer takes no calls on it, which counts as an attempt of each
    ///   parked call, and as a failure to connect where the connection has not worked; nil: it is
    ///   replaced for another reason.
    func retire(_ connection: ClientConnection, after failure: RPCError? = nil) {
        guard let slot = connection.poolSlot else { return }
        unsafe endpoints.retire(connection)
        if let failure { lastFailure = failure }
        handle(
            failure == nil ? .retired : .ended(worked: connection.hasWorked), in: slot,
            of: connection.endpoint)
        reconsiderQueued()
        resendParked(of: connection, after: failure)
        if connection.callsInFlight == 0 { closeRetired(connection) }
    }

    /// A connection has ended or is retired, and queued calls may have waited for it.
    private func reconsiderQueued() {
        if unsafe endpoints.state == .ready { return sendQueued() }
        isCongested = false
        if unsafe pending.waitingCount == 0 { return }
        if unsafe endpoints.state == .transientFailure { return failQueued(lastFailure) }
        connect()
    }

    /// A connection has ended: its calls are sent again, or end.
    func closed(_ connection: ClientConnection, _ reason: CloseReason) {
        let calls = unsafe pending.sent(on: connection.number)
        let hedges = unsafe hedged.others(on: connection.number)
        let sentBytes = connection.sentBytes
        let slot = connection.poolSlot
        unsafe endpoints.remove(connection)
        lastFailure = RPCError(.peerClosed, "the connection ended: \(reason)")
        if let slot {
            context.counters.connectionsLost.increment()
            handle(.ended(worked: connection.hasWorked), in: slot, of: connection.endpoint)
            reconsiderQueued()
        }
        resendParked(of: connection, after: lastFailure)
        hedgesLost(hedges, on: connection)
        if calls.isEmpty { return }
        let error = RPCError(.failedGetReply, "the connection ended before the reply: \(reason)")
        for (slot, end) in calls {
            attemptEnded(slot, on: connection, .failure)
            if isLeftToOther(slot) { continue }
            lost(slot, isUnseen: end > sentBytes, error)
        }
    }
}
