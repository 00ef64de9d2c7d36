@_spi(Simulation) import RocketReactor

/// How far a process has ended in order, as after SIGTERM. A value.
enum ProcessEnding {
    /// Its tasks were cancelled, and its servers drain.
    case servers
    /// Its channels close.
    case channels
    /// Its loops end.
    case loops
}

extension HostProcess {
    /// Begins to end in order: cancels tasks, and drains servers.
    func beginEnding() {
        if ending != nil { return }
        ending = .servers
        cancelTasks()
        for stop in stopServices { stop() }
    }

    /// Goes on with it as far as possible now.
    ///
    /// - Returns: what it waits for; nil: it has ended.
    func continueEnding() -> String? {
        if hasEnded { return nil }
        guard let ending else { return "\(host.name) has not begun to end" }
        switch ending {
        case .servers:
            // Handlers that still run may need the channels.
            if taskCount > 0 { return "\(host.name): \(taskCount) tasks or servers" }
            for close in closeChannels { close() }
            self.ending = .channels
        case .channels:
            if let left = leftover { return left }
            if let (number, call) = host.world.history.firstOpen(of: self) {
                host.world.violated(
                    .callEnds,
                    "call \(number) \(call.method) of \(host.name) has not ended: its channel is "
                        + "closed")
            }
            for loop in loops { loop.stop() }
            self.ending = .loops
        case .loops:
            if let loop = loops.first(where: { !$0.hasEnded }) { return loop.name }
            hasEnded = true
            host.processEnded()
            return nil
        }
        return continueEnding()
    }

    private var leftover: String? {
        if let socket = host.kernel.openSockets.first { return "the socket \(socket.name)" }
        for loop in loops where !loop.hasEnded {
            loop.loop.claim()
            defer { loop.loop.release() }
            if let timer = loop.loop.waitingTimers.first {
                return "the timer '\(timer)' of \(loop.name)"
            }
        }
        return rules.lazy.compactMap(\.leftover).first
    }
}
