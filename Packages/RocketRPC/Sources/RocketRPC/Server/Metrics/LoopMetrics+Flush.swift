import RocketReactor
import RocketSystem
import RocketTCP

// When the replies of kept calls are passed to the kernel.

extension LoopMetrics {
    /// The reply of a kept call that has not been sent yet.
    struct Unflushed {
        let place: KeptCalls.Place
        let connection: ServerConnection
        /// Tick ends to wait for: another wire passes its output on at one, which is sent at the next.
        var rounds: Int
        /// How much the connection has sent once this reply is sent.
        var position = UInt64.max
    }

    /// How often it is checked whether replies have been sent whose peers read slowly.
    private static let checkInterval = Duration.milliseconds(20)
    /// The most such replies. It is not known of further ones when they are sent.
    static let maxStalled = 256

    /// The reply of a call that was kept is in the output of its connection.
    func awaitFlush(of place: KeptCalls.Place, on connection: ServerConnection) {
        if connection.transport == nil { return }
        unflushed.append(
            Unflushed(
                place: place, connection: connection,
                rounds: connection.wire == ServerConnection.ownWire ? 1 : 2))
        observeTickEnd()
    }

    private func observeTickEnd() {
        if awaitsTickEnd { return }
        awaitsTickEnd = true
        reactor.observeTickEnd(self)
    }

    private func isSent(_ reply: Unflushed, _ transport: any Transport) -> Bool {
        if transport.pendingBytes == 0 { return true }
        // Other wires don't say which of their bytes belong to a reply.
        return reply.connection.wire == ServerConnection.ownWire
            && transport.sentBytes >= reply.position
    }

    /// The kernel has not taken the reply: its peer reads slowly.
    private func stall(_ reply: Unflushed, _ transport: any Transport) {
        if stalled.count >= Self.maxStalled { return }
        var reply = reply
        reply.position = transport.sentBytes &+ UInt64(max(0, transport.pendingBytes))
        kept.update(reply.place) { $0.awaitsFlush = true }
        stalled.append(reply)
        checkStalledLater()
    }

    /// A connection has ended, and with it the replies that waited for its peer.
    func ended(_ connection: ServerConnection) {
        if stalled.isEmpty { return }
        for reply in stalled where reply.connection === connection {
            kept.update(reply.place) { $0.awaitsFlush = false }
        }
        stalled.removeAll { $0.connection === connection }
    }

    private func checkStalledLater() {
        if stalledTimer != nil { return }
        stalledTimer = reactor.schedule(after: Self.checkInterval, label: "slow readers") {
            [weak self] _ in self?.checkStalled()
        }
    }

    private func checkStalled() {
        stalledTimer = nil
        var waiting: [Unflushed] = []
        swap(&waiting, &stalled)
        for reply in waiting {
            guard let transport = reply.connection.transport else { continue }
            guard isSent(reply, transport) else {
                stalled.append(reply)
                continue
            }
            // The kernel took the last bytes then, and this reply not later.
            let sentAt = (transport.traffic.lastSent ?? reactor.now).nanoseconds
            recordFlush(of: reply, at: sentAt)
        }
        if !stalled.isEmpty { checkStalledLater() }
    }

    private func recordFlush(of reply: Unflushed, at now: UInt64) {
        kept.update(reply.place) { call in
            call.flushedAt = max(call.endedAt, now)
            call.awaitsFlush = false
        }
    }
}

extension LoopMetrics: TickEndHandler {
    /// The connections have sent what was written before this was observed.
    func tickEnding(on reactor: Reactor) {
        awaitsTickEnd = false
        let now = readClock()
        var waiting: [Unflushed] = []
        swap(&waiting, &unflushed)
        for var reply in waiting {
            guard let transport = reply.connection.transport else { continue }
            reply.rounds -= 1
            if reply.rounds > 0 {
                unflushed.append(reply)
            } else if transport.pendingBytes == 0 {
                recordFlush(of: reply, at: now)
            } else {
                stall(reply, transport)
            }
        }
        if !unflushed.isEmpty { observeTickEnd() }
    }
}
