import RocketBase
import RocketRPC
import RocketSystem

/// Something that an operator would want to know without looking for it. A value.
struct Finding: Hashable, Sendable {
    var tone: Table.Tone
    /// A sentence without markup.
    var text: String
    /// Where the details are.
    var page: AdminPage
}

extension AdminView {
    /// Failures per second from which on a method is named: three in ten seconds. One call that fails
    /// is no pattern.
    private static var noticedFailures: Double { 0.3 }

    /// What needs attention now, worst first.
    var findings: [Finding] {
        var found: [Finding] = []
        let add = { found.append(Finding(tone: $0, text: $1, page: $2)) }
        switch server.state {
        case .running: break
        case .notStarted: add(.warning, "The server does not listen yet.", .log)
        case .draining:
            add(.warning, "The server drains: it refuses new calls and ends.", .connections)
        case .stopped: add(.bad, "The server has ended.", .log)
        }
        for loop in server.loops where loop.isStuck {
            add(
                .bad,
                "\(loop.name) has been blocked for \(Quantity.duration(loop.stuckFor)): a handler or "
                    + "callback does not return, and its connections wait.", .loops)
        }
        for (name, busy) in (history.recent?.loopBusy ?? [:]).sorted(by: { $0.key < $1.key })
        where busy >= 0.9 {
            add(.warning, "\(name) is busy for \(Quantity.percent(busy)) of the time.", .loops)
        }
        if server.statistics.overloadedLoops > 0 {
            add(
                .bad,
                "Calls are refused now for their delay, on \(server.statistics.overloadedLoops) of "
                    + "\(max(1, server.loops.count - 1)) loops.", .limits)
        }
        for limit in server.limits {
            guard let current = limit.current, let most = limit.limit, most > 0,
                Double(current) >= 0.9 * Double(most)
            else { continue }
            add(
                .bad,
                "\(limit.name) is at \(Quantity.percent(Double(current) / Double(most))) of "
                    + "its limit.", .limits)
        }
        if let traces, let failure = traces.failure {
            add(
                .warning, "Spans are not exported to \(traces.target): \(failure)", .channels)
        }
        for (name, rates) in (history.recent?.methods ?? [:]).sorted(by: { $0.key < $1.key })
        where rates.failuresPerSecond >= Self.noticedFailures
            && rates.failuresPerSecond > 0.05 * rates.callsPerSecond
        {
            let share = rates.failuresPerSecond / max(rates.callsPerSecond, .leastNonzeroMagnitude)
            add(.warning, "\(name): \(Quantity.percent(share)) of its calls fail.", .calls)
        }
        for channel in channels {
            let lost = channel.endpoints.count { $0.state != .ready || $0.isEjected }
            if !channel.endpoints.isEmpty, lost > 0 {
                add(
                    lost == channel.endpoints.count ? .bad : .warning,
                    "\(channel.target): \(lost) of \(channel.endpoints.count) servers get no calls.",
                    .channels)
            }
        }
        if log.statistics.dropped > 0 || log.statistics.lost > 0 {
            let count = log.statistics.dropped + log.statistics.lost
            add(.warning, "\(Quantity.count(Int(clamping: count))) log lines were lost.", .log)
        }
        return found.filter { $0.tone == .bad } + found.filter { $0.tone != .bad }
    }
}
