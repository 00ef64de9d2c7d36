import RocketBase
import RocketReactor
import RocketTCP

extension ChannelCore {
    /// Sends a call that waits, or leaves it to wait for a connection, or ends it.
    ///
    /// - Parameter avoided: a connection's number: another one is taken where there is one.
    func dispatch(_ id: CallID, _ call: any OutgoingCall, avoiding avoided: Int? = nil) {
        let avoidedPlace = avoided.flatMap { number in
            current.firstIndex { $0?.number == number }
        }
        // Opens the first connection, or one more where all have calls; one in memory is there
        // at once.
        if let place = pool.placeToConnect() { handle(.wanted, at: place) }
        if let place = pool.place(avoiding: avoidedPlace), let connection = current[place] {
            return send(id, call, on: connection)
        }
        if pool.state == .transientFailure, !waits(call), pending[id]?.attempts == 0 {
            return fail(id, lastFailure)
        }
        wait(id)
    }

    private func wait(_ id: CallID) {
        // Calls that ended while they waited are still in the list.
        if waiting.count > 2 * pending.waitingCount + 64 {
            waiting.removeAll { pending[$0]?.place != .waiting }
        }
        waiting.append(id)
    }

    private func waits(_ call: any OutgoingCall) -> Bool {
        call.waitsForReady ?? configuration.waitsForReady
    }

    private func send(_ id: CallID, _ call: any OutgoingCall, on connection: ClientConnection) {
        do throws(RPCError) {
            let end = try connection.send(call, id, now: reactor.now)
            pending.move(id, to: .sent(on: connection.number, end: end))
            connection.callsInFlight += 1
            if let place = connection.place { pool.began(at: place) }
        } catch {
            fail(id, error)
        }
    }

    /// Sends what waits, in its order.
    private func sendWaiting() {
        let ids = waiting
        waiting = []
        for id in ids {
            guard let entry = pending[id], entry.place == .waiting else { continue }
            dispatch(id, entry.call)
        }
    }

    /// A call on that connection is over.
    func carriesOneLess(_ connection: ClientConnection) {
        connection.callsInFlight -= 1
        if let place = connection.place {
            pool.finished(at: place)
        } else if connection.callsInFlight == 0 {
            // Another one has its place; the last call that it was kept for is over.
            forget(connection)
            connection.close(.afterFlush)
        }
    }

    // MARK: Connections

    /// Begins to connect, so that the next call need not wait.
    func connect() {
        if pool.place() == nil, let place = pool.placeToConnect() { handle(.wanted, at: place) }
    }

    func handle(_ event: Connectivity.Event, at place: Int) {
        switch pool.handle(event, at: place, using: &random) {
        case .nothing, .disconnect: break
        case .connect: open(at: place)
        case .rest(let duration): rest(place, for: duration)
        }
        feed.publish(pool.state)
    }

    private func open(at place: Int) {
        connectionsMade += 1
        let connection = ClientConnection(number: connectionsMade, place: place, of: self)
        connections.append(connection)
        current[place] = connection
        connection.begin(with: connector, on: reactor)
    }

    private func rest(_ place: Int, for duration: Duration) {
        logger.warn("server not reachable") {
            $0.add("target", target)
            $0.add("detail", lastFailure.message)
            $0.add("retry_ms", duration.wholeNanoseconds / 1_000_000)
        }
        reactor.schedule(after: duration, label: "connect back-off") { [weak self] _ in
            guard let self, !isClosed else { return }
            handle(.rested(wanted: pending.waitingCount > 0), at: place)
        }
    }

    func connected(_ connection: ClientConnection) {
        guard let place = connection.place else { return }
        counters.connects.count()
        handle(.connected, at: place)
        sendWaiting()
    }

    func connectFailed(_ connection: ClientConnection, _ error: RPCError) {
        guard let place = connection.place else { return }
        counters.connectFailures.count()
        forget(connection)
        lastFailure = error
        handle(.failed, at: place)
        if pool.state == .transientFailure { failWaiting(error) }
    }

    /// Ends the calls that wait and are not to wait any longer.
    private func failWaiting(_ error: RPCError) {
        let ids = waiting
        waiting = []
        for id in ids {
            guard let entry = pending[id], entry.place == .waiting else { continue }
            if waits(entry.call) {
                waiting.append(id)
            } else if entry.attempts > 0, entry.attempts < configuration.retry.maxAttempts {
                // It was under way already: the next attempt to connect is its own next one.
                pending.countAttempt(of: id)
                waiting.append(id)
            } else {
                fail(id, error)
            }
        }
    }

    func forget(_ connection: ClientConnection) {
        connections.removeAll { $0 === connection }
        if let place = connection.place, current[place] === connection { current[place] = nil }
    }

    /// The server takes no more calls on it: another one takes its place, and it goes when its
    /// last call is over.
    func retire(_ connection: ClientConnection) {
        guard let place = connection.place else { return }
        connection.place = nil
        current[place] = nil
        handle(.retired, at: place)
    }
}
