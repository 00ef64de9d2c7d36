import RocketRPC
@_spi(Simulation) import RocketReactor
import RocketSystem

extension World {
    /// Ends all that runs, as a service manager does: cancels the tasks of hosts, closes channels and
    /// drains servers, stops the loops. Then checks that nothing is left of calls, tasks, sockets,
    /// and timers. Once, at the end of a world, when its faults are over. Without it nothing of that
    /// is checked.
    ///
    /// - Throws: `SimulationFailure` for what is left after 2 virtual minutes.
    public func close() throws {
        isClosed = true
        if faultsEnd > now {
            throw failure(
                Violation(
                    rule: .custom,
                    text: "close is called while a fault is planned that lasts until "
                        + "\(seconds(faultsEnd - VirtualTime.start)) s: run the world until then"))
        }
        checkAlways()
        checkClosedPeers()
        checkAbandonedHandlers()
        let processes = hosts.compactMap(\.process)
        for process in processes { process.cancelTasks() }
        try wait("tasks have not ended after they were cancelled") {
            processes.first { $0.ordinaryTaskCount > 0 }.map {
                "\($0.host.name): \($0.ordinaryTaskCount) tasks"
            }
        }
        for process in processes { process.beginEnding() }
        try wait("a process has not ended") {
            processes.lazy.compactMap { $0.continueEnding() }.first
        }
        freeDeadProcesses()
        release()
        try check()
    }

    /// Frees what a world that has failed has left.
    func abandon() {
        for host in hosts { host.kill() }
        freeDeadProcesses()
        release()
    }

    /// How long a process may take to end in order.
    static let longestEnding = Duration.seconds(120)

    /// Waits until nothing is left.
    private func wait(_ text: String, _ leftover: () -> String?) throws {
        do {
            try run(atMost: Self.longestEnding) { leftover() == nil }
        } catch let failure as SimulationFailure {
            guard failure.violation.rule == .liveness, let left = leftover() else { throw failure }
            throw SimulationFailure(
                seed: failure.seed,
                violation: Violation(rule: .leftover, text: "\(text): \(left)"),
                elapsed: failure.elapsed, trace: failure.trace)
        }
    }
}
