import RocketBase
import RocketSystem
import RocketTCP

extension RPCServer {
    /// The number of connections that a snapshot's table has by default: 1,000.
    public static let defaultConnectionsPerSnapshot = 1_000

    /// Collects the numbers of the server from its loops. What it costs does not depend on how many
    /// calls there are: each loop looks at each of its connections and copies the calls that it has
    /// kept. Any thread; not more often than a few times a second.
    ///
    /// - Parameters:
    ///   - limit: how long a loop may take to answer. One that a callback blocks for longer is
    ///     reported as stuck; its connections and its own numbers are those of the snapshot before, its
    ///     calls are as of now. Where a callback blocks every loop at once, the time does not begin
    ///     before one of them ends.
    ///   - maxConnections: the most connections in the table.
    public func snapshot(
        within limit: Duration = .seconds(1),
        maxConnections: Int = defaultConnectionsPerSnapshot
    ) async -> RPCServerSnapshot {
        let maxConnections = max(0, maxConnections)
        let reports = await collector.collect(
            from: runtime.loops, within: limit, maxConnections: maxConnections)
        let (wall, now) = (time.wall(), time.monotonic())
        var snapshot = RPCServerSnapshot(
            time: wall, startedAt: startedAt, age: now - beganAt, state: state,
            collectsMetrics: metrics != nil, statistics: dispatcher.statistics)
        if let metrics {
            snapshot.methods = metrics.readMethods()
            metrics.readExemplars(into: &snapshot.methods, wall, now)
            snapshot.addErrors(reports.flatMap(\.lastErrors), dispatcher.table.entries, now)
        }
        snapshot.loops = reports.map(\.loop)
        snapshot.sampledCalls = reports.flatMap(\.keptCalls).map { $0.described(wall, now) }
            .sorted { $0.time > $1.time }
        snapshot.addConnections(reports, atMost: maxConnections)
        let counts = runtime.connectionCounts
        snapshot.connectionCount = max(
            runtime.connectionCount, snapshot.connections.count + snapshot.connectionsLeftOut)
        snapshot.movedConnections = counts?.moved ?? 0
        snapshot.limits = limits(reports, counts, snapshot.statistics)
        return snapshot
    }

    private func limits(
        _ reports: [LoopReport], _ counts: ConnectionCounts?, _ statistics: RPCServerStatistics
    ) -> [RPCServerSnapshot.Limit] {
        var limits: [RPCServerSnapshot.Limit] = []
        if let counts { limits += Self.limits("", counts) }
        if let counts = http?.connectionCounts { limits += Self.limits("http_", counts) }
        limits += highest.update(
            dispatcher.limiter.limits(
                callsOnConnection: reports.map(\.mostCalls).max() ?? 0,
                streamsOnConnection: reports.map(\.mostStreams).max() ?? 0,
                maxStreams: dispatcher.streamLimits.maxPerConnection))
        limits.append(
            .init(
                name: "memory_budget_bytes", limit: budget.limitBytes, current: budget.heldBytes,
                highest: budget.mostHeldBytes, refusals: budget.excessCount))
        return limits + dispatcher.overload.limits(statistics)
    }

    private static func limits(
        _ prefix: String, _ counts: ConnectionCounts
    ) -> [RPCServerSnapshot.Limit] {
        [
            .init(
                name: prefix + "connections", limit: counts.limit, current: counts.open,
                highest: counts.most, refusals: counts.refused),
            .init(
                name: prefix + "connections_per_peer", limit: counts.limitPerPeer,
                refusals: counts.refusedOfPeers),
        ]
    }
}

extension RPCServerSnapshot {
    /// Adds the last error of each method, of all loops.
    fileprivate mutating func addErrors(
        _ errors: [LastError], _ entries: [_MethodEntry], _ now: MonotonicTime
    ) {
        var last: [String: LastError] = [:]
        let names = Dictionary(entries.map { ($0.index, $0.fullName) }) { first, _ in first }
        for error in errors {
            let name = names[error.method] ?? Method.unknownName
            if (last[name]?.time ?? 0) <= error.time { last[name] = error }
        }
        for index in methods.indices {
            guard let error = last[methods[index].name] else { continue }
            methods[index].lastError = Method.Failure(
                code: error.code, text: error.text,
                time: time.before(now, by: error.time))
        }
    }

    fileprivate mutating func addConnections(_ reports: [LoopReport], atMost limit: Int) {
        connectionsLeftOut = reports.reduce(0) { $0 + $1.connectionsLeftOut }
        let all = reports.flatMap(\.connections)
        connectionsLeftOut += max(0, all.count - limit)
        connections = all.largest(limit).sorted { $0.id < $1.id }
    }
}

extension KeptCall {
    /// - Parameters:
    ///   - wall: the calendar time of now.
    ///   - now: the same moment by the monotonic clock.
    func described(
        _ wall: WallTime, _ now: MonotonicTime
    ) -> RPCServerSnapshot.SampledCall {
        var call = RPCServerSnapshot.SampledCall(
            time: wall.before(now, by: endedAt),
            method: method?.fullName ?? RPCServerSnapshot.Method.unknownName, peer: peers.peer,
            reason: reason)
        call.identity = peers.identityText
        call.wire = wire
        call.connection = connection
        call.code = code
        call.duration = Self.time(measured.beganAt, endedAt)
        call.queue = Self.time(measured.readAt, measured.beganAt)
        call.requestBytes = requestBytes
        call.responseBytes = responseBytes
        call.traceID = trace.text
        call.error = error
        addStages(to: &call, now.nanoseconds)
        return call
    }

    private func addStages(to call: inout RPCServerSnapshot.SampledCall, _ now: UInt64) {
        let (decoded, handled) = (measured.decodedAt, measured.handledAt)
        if decoded > 0 { call.decode = Self.time(measured.beganAt, decoded) }
        if handled > 0 {
            let handler = Self.time(decoded > 0 ? decoded : measured.beganAt, handled)
            let waited = min(handler, .nanoseconds(Int64(clamping: peerWait)))
            let encodes = max(handled, measured.hasRoomAt)
            call.handler = handler - waited
            if measured.hasRoomAt > 0 || waited > .zero {
                call.outputWait = waited + Self.time(handled, encodes)
            }
            call.encode = Self.time(encodes, endedAt)
        }
        if flushedAt > 0 {
            call.flush = Self.time(endedAt, flushedAt)
        } else if awaitsFlush {
            call.flush = Self.time(endedAt, now)
            call.awaitsFlush = true
        }
    }

    private static func time(_ start: UInt64, _ end: UInt64) -> Duration {
        .nanoseconds(Int64(clamping: end - min(start, end)))
    }
}

extension WallTime {
    /// The calendar time of a moment by the monotonic clock.
    ///
    /// - Parameters:
    ///   - now: the same moment as `self`.
    ///   - moment: in nanoseconds, not after `now`.
    fileprivate func before(_ now: MonotonicTime, by moment: UInt64) -> WallTime {
        let ago = Int64(clamping: now.nanoseconds - min(moment, now.nanoseconds))
        return WallTime(nanoseconds: nanoseconds - ago)
    }
}

/// The highest values of limits that only snapshots see. Any thread.
final class HighestValues: Sendable {
    private let values = Locked<[String: Int]>([:])

    /// Adds the highest value to each limit that has a value and no highest one.
    func update(_ limits: [RPCServerSnapshot.Limit]) -> [RPCServerSnapshot.Limit] {
        values.withLock { values in
            limits.map { limit in
                guard limit.highest == nil, let current = limit.current else { return limit }
                var limit = limit
                let highest = max(current, values[limit.name] ?? 0)
                values[limit.name] = highest
                limit.highest = highest
                return limit
            }
        }
    }
}

extension OverloadPolicy {
    /// What is refused under overload, where that is on or was.
    fileprivate func limits(_ statistics: RPCServerStatistics) -> [RPCServerSnapshot.Limit] {
        let settings = current.settings
        let delay = settings.queueDelay.map { Int($0.wholeNanoseconds / 1_000) }
        return [
            .init(
                name: "queue_delay_us", limit: delay, refusals: statistics.refusedForQueueDelay),
            .init(name: "late_calls", refusals: statistics.refusedAsLate),
            .init(name: "adaptive_limit", refusals: statistics.refusedByAdaptiveLimit),
            .init(
                name: "calls_per_second",
                limit: settings.callsPerSecond > 0 ? settings.callsPerSecond : nil,
                refusals: statistics.refusedForRate),
        ]
    }
}
