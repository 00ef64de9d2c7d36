import RocketSystem

/// Something that goes wrong in a world, and is well again later. A value.
public struct Fault: Hashable, Sendable {
    /// The kinds of faults. The second host of one that concerns two is `Fault.other`.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Nothing passes between two hosts, in either direction.
        case partition
        /// Nothing passes from one host to another; the other direction works.
        case oneWayLoss
        /// Everything between two hosts is late by up to a second.
        case slowLink
        /// All connections of a host are reset at both ends.
        case reset
        /// A host runs nothing for a while.
        case pause
        /// A process is killed, and started again.
        case kill
        /// A process is asked to end, ends when its calls have, and is started again.
        case drain
        /// A host loses its power, and is started again.
        case powerLoss
        /// The calendar of a host is set forward or back by up to a day.
        case calendar

        /// Whether it is something between two hosts.
        var concernsTwo: Bool { [.partition, .oneWayLoss, .slowLink].contains(self) }
    }

    /// What happens.
    public var kind: Kind
    /// When it begins, from the start of the plan.
    public var start: Duration
    /// How long it lasts.
    public var duration: Duration
    /// The number of the host among those of the plan.
    public var host: Int
    /// The number of the second host.
    public var other: Int

    /// Creates one from its parts.
    public init(
        kind: Kind, start: Duration, duration: Duration, host: Int, other: Int
    ) {
        self.kind = kind
        self.start = start
        self.duration = duration
        self.host = host
        self.other = other
    }

    /// Returns `count` faults that follow from the generator, sorted by their starts.
    ///
    /// - Parameters:
    ///   - kinds: one or more. Of one host alone those that concern two are left out.
    ///   - hosts: how many hosts they concern, 1 or more.
    ///   - span: when they begin: from zero to that.
    ///   - longest: how long one lasts at most; 1 ms or more.
    public static func plan(
        _ count: Int, of kinds: [Kind] = Kind.allCases, hosts: Int, within span: Duration,
        longest: Duration = .seconds(5), using random: inout SeededGenerator
    ) -> [Fault] {
        let kinds = kinds.filter { hosts > 1 || !$0.concernsTwo }
        precondition(
            count >= 0 && !kinds.isEmpty && hosts >= 1 && span >= .zero && longest >= shortest,
            "a plan has 0 faults or more, of one kind or more, for 1 host or more, within a span of "
                + "zero or more, each of 1 ms or more; of one host alone, not only kinds for two")
        let faults = (0..<count).map { _ in
            let host = Int.random(in: 0..<hosts, using: &random)
            let distance = hosts > 1 ? Int.random(in: 1..<hosts, using: &random) : 0
            return Fault(
                kind: kinds[Int.random(in: 0..<kinds.count, using: &random)],
                start: random.duration(in: .zero...span),
                duration: random.duration(in: shortest...longest), host: host,
                other: (host + distance) % hosts)
        }
        return faults.sorted { $0.start < $1.start }
    }

    private static let shortest = Duration.milliseconds(1)

    /// When it is over.
    public var end: Duration { start + duration }
}

extension Fault: CustomStringConvertible {
    /// `partition of hosts 0 and 1, from 1.200000 s on for 0.400000 s`.
    public var description: String {
        let hosts =
            switch kind {
            case .partition, .slowLink: "between hosts \(host) and \(other)"
            case .oneWayLoss: "from host \(host) to \(other)"
            case .reset, .pause, .kill, .drain, .powerLoss, .calendar: "of host \(host)"
            }
        return "\(kind.rawValue) \(hosts), from \(seconds(start)) s on for \(seconds(duration)) s"
    }
}

extension World {
    /// Makes these faults happen.
    ///
    /// - Parameter hosts: those that the numbers of the faults mean.
    public func plan(_ faults: [Fault], for hosts: [Host]) {
        for fault in faults {
            precondition(
                hosts.indices.contains(fault.host)
                    && (!fault.kind.concernsTwo || hosts.indices.contains(fault.other))
                    && hosts.allSatisfy { $0.world === self },
                "a fault for \(hosts.count) hosts of this world concerns others: \(fault)")
            faultsEnd = max(faultsEnd, now + fault.end)
            schedule(after: fault.start) { [self] in
                count { $0.faults[fault.kind.rawValue, default: 0] += 1 }
                record("fault", hosts[fault.host].index) { "fault: \(fault)" }
                begin(fault, hosts)
            }
        }
    }

    private func begin(_ fault: Fault, _ hosts: [Host]) {
        let host = hosts[fault.host]
        switch fault.kind {
        case .partition:
            let other = hosts[fault.other]
            cut([path(from: host, to: other), path(from: other, to: host)], fault)
        case .oneWayLoss: cut([path(from: host, to: hosts[fault.other])], fault)
        case .slowLink:
            let other = hosts[fault.other]
            slow([path(from: host, to: other), path(from: other, to: host)], fault)
        case .reset: host.resetConnections()
        case .pause: host.pause(for: fault.duration)
        case .kill:
            host.kill()
            restart(host, fault)
        case .drain:
            host.drain()
            restart(host, fault)
        case .powerLoss:
            host.losePower()
            restart(host, fault)
        case .calendar:
            let day = Duration.seconds(86_400)
            host.stepCalendar(by: networkRandom.duration(in: .zero - day...day))
        }
    }

    private func cut(_ paths: [Path], _ fault: Fault) {
        for path in paths { path.cut() }
        schedule(after: fault.duration) { for path in paths { path.heal() } }
    }

    private func slow(_ paths: [Path], _ fault: Fault) {
        let extra = networkRandom.duration(in: .zero...(.seconds(1)))
        for path in paths { path.extraLatency += extra }
        schedule(after: fault.duration) { for path in paths { path.extraLatency -= extra } }
    }

    private func restart(_ host: Host, _ fault: Fault) {
        host.downUntil = max(host.downUntil, now + fault.duration)
        restart(host, after: fault.duration)
    }

    /// A process that is still ending is started when it has ended.
    private func restart(_ host: Host, after delay: Duration) {
        schedule(after: delay) { [self] in
            // Of faults that overlap, the last one to end starts it.
            if now < host.downUntil { return }
            if host.isRunning, !host.isServing { return restart(host, after: .milliseconds(1)) }
            do { try host.start() } catch {
                violated(.task, "\(host.name) can't be started again: \(error)")
            }
        }
    }
}
