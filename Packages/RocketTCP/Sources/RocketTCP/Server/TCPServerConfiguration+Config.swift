public import RocketBase

extension TCPServerConfiguration {
    /// Applies what `root/server` of a configuration says of listeners, connections and memory,
    /// besides the addresses.
    ///
    /// Reads what memory the process may use, where the budget is not configured.
    public mutating func apply(_ server: ServerConfig) {
        unixMode = server.unixMode
        maxConnections = server.maxConnections
        maxConnectionsPerPeer =
            server.maxConnectionsPerPeer > 0 ? server.maxConnectionsPerPeer : nil
        budget = ByteBudget(
            limitBytes: server.memoryBudgetBytes > 0
                ? server.memoryBudgetBytes : ByteBudget.automaticLimitBytes())
        connection.idleTimeout = server.idleTimeout > .zero ? server.idleTimeout : nil
        connection.highWaterMarkBytes = server.highWaterMarkBytes
        connection.lowWaterMarkBytes = server.lowWaterMarkBytes
        connection.outputLimitBytes = server.outputLimitBytes
    }
}
