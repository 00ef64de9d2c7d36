import RocketBase
import RocketReactor
import RocketTCP

extension ChannelCore: TickEndHandler {
    /// Sends a call that waits, or leaves it to wait, or ends it.
    ///
    /// - Parameter avoided: a connection's number: another one is taken where there is one.
    func dispatch(_ slot: Int, _ call: OutgoingCall, avoiding avoided: Int? = nil) {
        if isCongested { return wait(slot, call) }
        if let only, send(slot, call, on: only) { return }
        let avoidedPlace = avoided.flatMap { number in
            current.firstIndex { $0?.number == number }
        }
        // Opens the first connection, or one more where all have calls; one in memory is there
        // at once.
        if let place = unsafe pool.placeToConnect() { handle(.wanted, at: place) }
        if let connection = roomyConnection(avoiding: avoidedPlace),
            send(slot, call, on: connection)
        {
            return
        }
        switch unsafe pool.state {
        case .ready: beginCongestion()
        case .transientFailure where unsafe !waits(call) && pending[slot]?.attempts == 0:
            return fail(slot, lastFailure)
        default: break
        }
        wait(slot, call)
    }

    private func roomyConnection(avoiding avoided: Int? = nil) -> ClientConnection? {
        let place = unsafe pool.place(avoiding: avoided) { current[$0]?.hasRoom ?? false }
        return place.flatMap { current[$0] }
    }

    /// In the line; a new call is turned away where it is too long.
    private func wait(_ slot: Int, _ call: OutgoingCall) {
        // Calls that ended while they waited are still in it.
        if unsafe waiting.count > 2 * pending.waitingCount + 64 {
            waiting.removeAll { unsafe !pending.isWaiting($0) }
        }
        if unsafe pending.waitingCount > configuration.maxCallsWaiting,
            unsafe pending[slot]?.attempts == 0
        {
            return fail(
                slot,
                RPCError(
                    .resourceExhausted,
                    "\(configuration.maxCallsWaiting) calls wait to be sent, the most that may"))
        }
        waiting.append(call.id)
    }

    private func waits(_ call: OutgoingCall) -> Bool {
        unsafe call.terms.waitsForReady ?? configuration.waitsForReady
    }

    /// - Returns: false where there is no room for it on that connection.
    private func send(
        _ slot: Int, _ call: OutgoingCall, on connection: ClientConnection
    ) -> Bool {
        do throws(RPCError) {
            guard let end = try connection.send(call, now: reactor.now) else { return false }
            unsafe pending.move(slot, to: .sent(on: connection.number, end: end))
            connection.callsInFlight += 1
            if let place = connection.place { unsafe pool.began(at: place) }
        } catch {
            fail(slot, error)
        }
        return true
    }

    /// Sends what waits, in its order, while there is room.
    private func sendWaiting() {
        isCongested = false
        while let id = waiting.first {
            guard let slot = unsafe pending.find(id), let entry = unsafe pending[slot],
                entry.place == .waiting
            else {
                waiting.removeFirst()
                continue
            }
            guard roomyConnection() != nil else { break }
            waiting.removeFirst()
            dispatch(slot, entry.call, avoiding: entry.lastConnection)
        }
        if !waiting.isEmpty, unsafe pool.state == .ready { beginCongestion() }
    }

    // MARK: Room

    /// What was written in this tick may be with the kernel at its end; after that the connection
    /// tells. It has enrolled before, so it has flushed when our turn comes.
    private func beginCongestion() {
        isCongested = true
        if isEnrolled { return }
        isEnrolled = true
        reactor.observeTickEnd(self)
    }

    func tickEnding(on reactor: Reactor) {
        isEnrolled = false
        if isCongested, !isClosed, roomyConnection() != nil { sendWaiting() }
    }

    /// Those in the line have lost the connection that they waited for, or one of several.
    func reconsiderWaiting() {
        if unsafe pool.state == .ready { return sendWaiting() }
        isCongested = false
        if unsafe pending.waitingCount == 0 { return }
        if unsafe pool.state == .transientFailure { failWaiting(lastFailure) } else { connect() }
    }

    func hasRoomAgain() {
        if isCongested, !isClosed { sendWaiting() }
    }

    /// A call on that connection is over.
    func carriesOneLess(_ connection: ClientConnection) {
        connection.callsInFlight -= 1
        if let place = connection.place {
            unsafe pool.finished(at: place)
        } else if connection.callsInFlight == 0 {
            // Another one has its place; the last call that it was kept for is over.
            forget(connection)
            connection.close(.afterFlush)
        }
    }

    // MARK: Connections

    /// Begins to connect, so that the next call need not wait.
    func connect() {
        if unsafe pool.place() == nil, let place = unsafe pool.placeToConnect() {
            handle(.wanted, at: place)
        }
    }

    func handle(_ event: Connectivity.Event, at place: Int) {
        switch unsafe pool.handle(event, at: place, using: &random) {
        case .nothing, .disconnect: break
        case .connect: open(at: place)
        case .rest(let duration): restAfterFailure(place, duration)
        }
        feed.publish(unsafe pool.state)
    }

    private func open(at place: Int) {
        connectionsMade += 1
        let connection = ClientConnection(number: connectionsMade, place: place, of: self)
        connections.append(connection)
        current[place] = connection
        connection.begin(with: connector, on: reactor)
    }

    private func restAfterFailure(_ place: Int, _ duration: Duration) {
        logger.warn("server not reachable") {
            $0.add("target", target)
            $0.add("detail", lastFailure.message)
            $0.add("retry_ms", duration.wholeNanoseconds / 1_000_000)
        }
        reactor.schedule(after: duration, label: "connect back-off") { [self] _ in
            if isClosed { return }
            handle(.rested(wanted: unsafe pending.waitingCount > 0), at: place)
        }
    }

    func connected(_ connection: ClientConnection) {
        guard let place = connection.place else { return }
        counters.connects.count()
        if current.count == 1 { only = connection }
        handle(.connected, at: place)
        sendWaiting()
    }

    func connectFailed(_ connection: ClientConnection, _ error: RPCError) {
        guard let place = connection.place else { return }
        counters.connectFailures.count()
        forget(connection)
        lastFailure = error
        handle(.failed, at: place)
        if unsafe pool.state == .transientFailure { failWaiting(error) }
    }

    /// Ends the calls that wait and are not to wait any longer.
    private func failWaiting(_ error: RPCError) {
        for id in waiting.takeAll() {
            guard let slot = unsafe pending.find(id), let entry = unsafe pending[slot],
                entry.place == .waiting
            else { continue }
            if waits(entry.call) {
                waiting.append(id)
            } else if entry.attempts > 0, entry.attempts < configuration.retry.maxAttempts {
                // It was under way already: the next attempt to connect is its own next one.
                unsafe pending.countAttempt(of: slot)
                waiting.append(id)
            } else {
                fail(slot, error)
            }
        }
    }

    func forget(_ connection: ClientConnection) {
        if only === connection { only = nil }
        connections.removeAll { $0 === connection }
        if let place = connection.place, current[place] === connection { current[place] = nil }
    }

    /// The server takes no more calls on it: another one takes its place, and it goes when its
    /// last call is over.
    func retire(_ connection: ClientConnection) {
        guard let place = connection.place else { return }
        connection.place = nil
        only = nil
        current[place] = nil
        handle(.retired, at: place)
        reconsiderWaiting()
    }
}
