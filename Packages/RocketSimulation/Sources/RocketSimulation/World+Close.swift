import RocketRPC
@_spi(Simulation) import RocketReactor
import RocketSystem

extension World {
    /// Ends all that runs, as a service manager does: cancels the tasks of hosts, closes channels and
    /// drains servers, stops the loops. Then checks that nothing is left of calls, tasks, sockets,
    /// and timers. Once, at the end of a world; faults must have stopped.
    ///
    /// - Throws: `SimulationFailure` for what is left after 2 virtual minutes.
    public func close() throws {
        let processes = hosts.compactMap(\.process)
        for process in processes { process.cancelTasks() }
        try wait("tasks have not ended after they were cancelled") {
            processes.first { $0.ordinaryTaskCount > 0 }.map {
                "\($0.host.name): \($0.ordinaryTaskCount) tasks"
            }
        }
        for process in processes {
            for beginClose in process.closables { beginClose() }
        }
        try wait("servers and channels have not closed") { self.leftover(of: processes) }
        if let (number, call) = history.firstOpen() {
            violated(
                .callEnds,
                "call \(number) \(call.method) of \(call.host.name) has not ended: its channel is "
                    + "closed")
        }
        for process in processes { for loop in process.loops { loop.stop() } }
        try wait("loops have not ended") {
            processes.flatMap(\.loops).first { !$0.hasEnded }.map { "\($0.loop.name)" }
        }
        for process in processes {
            process.closables = []
            process.host.processEnded()
        }
        for host in hosts { host.freeDeadProcesses() }
        release()
        try check()
    }

    /// Frees what a world that has failed has left.
    func abandon() {
        for host in hosts {
            host.kill()
            host.freeDeadProcesses()
        }
        release()
    }

    private func leftover(of processes: [HostProcess]) -> String? {
        for process in processes {
            let host = process.host
            if process.taskCount > 0 { return "\(host.name): \(process.taskCount) tasks" }
            if let socket = host.kernel.openSockets.first { return "the socket \(socket.name)" }
            for loop in process.loops where !loop.hasEnded {
                loop.loop.claim()
                defer { loop.loop.release() }
                let count = loop.loop.waitingTimerCount
                if count > 0 { return "\(loop.loop.name): \(count) timers" }
            }
        }
        return nil
    }

    /// Waits until nothing is left.
    private func wait(_ text: String, _ leftover: () -> String?) throws {
        do {
            try run(atMost: .seconds(120)) { leftover() == nil }
        } catch let failure as SimulationFailure {
            guard failure.violation.rule == .liveness, let left = leftover() else { throw failure }
            throw SimulationFailure(
                seed: failure.seed,
                violation: Violation(rule: .leftover, text: "\(text): \(left)"),
                elapsed: failure.elapsed, trace: failure.trace)
        }
    }
}
