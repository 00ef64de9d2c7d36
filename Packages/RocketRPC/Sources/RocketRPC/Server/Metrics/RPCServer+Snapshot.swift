import RocketSystem

extension RPCServer {
    /// The number of connections that a snapshot's table has by default: 1,000.
    public static let defaultConnectionsPerSnapshot = 1_000

    /// Collects the numbers of the server from its loops. What it costs does not depend on how many
    /// calls there are: each loop copies its counters, and looks at each of its connections. Any
    /// thread; not more often than a few times a second.
    ///
    /// - Parameters:
    ///   - limit: how long a loop may take to answer. One that a callback blocks for longer is
    ///     reported as stuck, with the numbers of the snapshot before.
    ///   - maxConnections: the most connections in the table.
    public func snapshot(
        within limit: Duration = .seconds(1),
        maxConnections: Int = defaultConnectionsPerSnapshot
    ) async -> RPCServerSnapshot {
        RPCServerSnapshot(
            time: time.wall(), startedAt: startedAt, age: time.monotonic() - beganAt, state: state,
            collectsMetrics: collectsMetrics, statistics: dispatcher.statistics)
    }
}
