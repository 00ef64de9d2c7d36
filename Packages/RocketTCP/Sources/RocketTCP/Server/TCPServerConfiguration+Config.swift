public import RocketBase
public import RocketSystem

extension TCPServerConfiguration {
    /// Applies what `root/server` of a configuration says of listeners, connections and memory,
    /// besides the addresses.
    ///
    /// Reads what memory the process may use.
    public mutating func apply(_ server: ServerConfig, memory: SystemMemory = SystemMemory()) {
        unixMode = server.unixMode
        maxConnections = server.maxConnections
        maxConnectionsPerPeer =
            server.maxConnectionsPerPeer > 0 ? server.maxConnectionsPerPeer : nil
        let limit = memory.limit
        budget =
            server.memoryBudgetBytes > 0
            ? ByteBudget(limitBytes: server.memoryBudgetBytes, memory: limit)
            : .automatic(memory: limit)
        connection.idleTimeout = server.idleTimeout > .zero ? server.idleTimeout : nil
        connection.highWaterMarkBytes = server.highWaterMarkBytes
        connection.lowWaterMarkBytes = server.lowWaterMarkBytes
        connection.outputLimitBytes = server.outputLimitBytes
    }
}
