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
                    + "\(max(1, server.loops.count - 1)) loops (server/overload/queue_delay_ms).",
                .limits)
        }
        if let traces, let failure = traces.failure {
            add(
                .warning, "Spans are not exported to \(traces.target): \(failure)", .channels)
        }
        found += limitFindings
        if let finding = unreadPeers { found.append(finding) }
        found += failingMethods
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

    /// Limits that are near, and those that have refused something.
    private var limitFindings: [Finding] {
        server.limits.flatMap { limit -> [Finding] in
            let setting = limit.setting.map { " (\($0))" } ?? ""
            var found: [Finding] = []
            if let current = limit.current, let most = limit.limit, most > 0,
                Double(current) >= 0.9 * Double(most)
            {
                let share = Quantity.percent(Double(current) / Double(most))
                found.append(
                    Finding(
                        tone: .bad, text: "\(limit.name) is at \(share) of its limit\(setting).",
                        page: .limits))
            }
            if let count = history.recent?.refusals[limit.name] {
                found.append(
                    Finding(
                        tone: .warning,
                        text: "\(limit.name) has refused \(Quantity.count(count)) in the last 10 s"
                            + "\(setting).", page: .limits))
            }
            return found
        }
    }

    /// The peer that has not read for longest, and how many there are.
    private var unreadPeers: Finding? {
        let unread = server.connections.filter(\.isUnread)
        guard let longest = unread.max(by: { $0.unreadFor < $1.unreadFor }) else { return nil }
        let bytes = UInt64(max(0, longest.unsentBytes + longest.kernelBytes))
        let identity = longest.identity.isEmpty ? "" : " (\(longest.identity))"
        let others = unread.count - 1
        let more = others > 0 ? " Others that don't read: \(Quantity.count(others))." : ""
        return Finding(
            tone: .warning,
            text: "\(longest.peer)\(identity) has not read for "
                + "\(Quantity.duration(longest.unreadFor)): \(Quantity.bytes(bytes)) wait for it on "
                + "connection \(longest.id).\(more)", page: .connections)
    }

    /// The methods many of whose calls fail, with the most frequent code.
    private var failingMethods: [Finding] {
        (history.recent?.methods ?? [:]).sorted { $0.key < $1.key }.compactMap { name, rates in
            guard rates.failuresPerSecond >= Self.noticedFailures,
                rates.failuresPerSecond > 0.05 * rates.callsPerSecond
            else { return nil }
            let calls = max(rates.callsPerSecond, .leastNonzeroMagnitude)
            var text =
                "\(name): \(Quantity.percent(rates.failuresPerSecond / calls)) of its calls fail"
            let most = rates.codes.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }
            if let (code, rate) = most {
                let share = Quantity.percent(rate / rates.failuresPerSecond)
                text += ", \(share) of them with \(code.label)"
                if let error = server.methods.first(where: { $0.name == name })?.lastError,
                    error.code == code, !error.text.isEmpty
                {
                    text += ": \(error.text)"
                }
            }
            if !text.hasSuffix(".") { text += "." }
            return Finding(tone: .warning, text: text, page: .methods)
        }
    }
}
