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
        }
        snapshot.loops = reports.map(\.loop)
        snapshot.sampledCalls = reports.flatMap(\.keptCalls).map { $0.described(wall, now) }
            .sorted { $0.time > $1.time }
        snapshot.addConnections(reports, atMost: maxConnections)
        let counts = runtime.connectionCounts
        snapshot.connectionCount = max(
            runtime.connectionCount, snapshot.connections.count + snapshot.connectionsLeftOut)
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
    fileprivate mutating func addConnections(_ reports: [LoopReport], atMost limit: Int) {
        connectionsLeftOut = reports.reduce(0) { $0 + $1.connectionsLeftOut }
        var all = reports.flatMap(\.connections)
        if all.count > limit {
            connectionsLeftOut += all.count - limit
            let ranked = all.map { ($0, ConnectionRank($0.unsentBytes, $0.callsInFlight, $0.id)) }
            all = ranked.sorted { $0.1 > $1.1 }.prefix(limit).map(\.0)
        }
        connections = all.sorted { $0.id < $1.id }
    }
}

extension KeptCall {
    /// - Parameters:
    ///   - wall: the calendar time of now.
    ///   - now: the same moment by the monotonic clock.
    fileprivate func described(
        _ wall: WallTime, _ now: MonotonicTime
    ) -> RPCServerSnapshot.SampledCall {
        let ago = Int64(clamping: now.nanoseconds - min(endedAt, now.nanoseconds))
        var call = RPCServerSnapshot.SampledCall(
            time: WallTime(nanoseconds: wall.nanoseconds - ago),
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
        call.traceID = traceID
        addStages(to: &call)
        return call
    }

    private func addStages(to call: inout RPCServerSnapshot.SampledCall) {
        let (decoded, handled) = (measured.decodedAt, measured.handledAt)
        if decoded > 0 { call.decode = Self.time(measured.beganAt, decoded) }
        if handled > 0 {
            call.handler = Self.time(decoded > 0 ? decoded : measured.beganAt, handled)
            let encodes = max(handled, measured.hasRoomAt)
            if measured.hasRoomAt > 0 { call.outputWait = Self.time(handled, encodes) }
            call.encode = Self.time(encodes, endedAt)
        }
        if flushedAt > 0 { call.flush = Self.time(endedAt, flushedAt) }
    }

    private static func time(_ start: UInt64, _ end: UInt64) -> Duration {
        .nanoseconds(Int64(clamping: end - min(start, end)))
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
