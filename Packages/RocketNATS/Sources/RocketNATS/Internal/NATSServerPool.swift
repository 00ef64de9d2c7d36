/// The servers that a client may connect to, in turn: those of its configuration, and those that a
/// server has named. A value.
struct NATSServerPool {
    /// In the order of the attempts; never empty.
    private(set) var servers: [NATSServer]
    private let configured: [NATSServer]
    private let limit: Int
    /// The index of the server of the current attempt; nil before the first one.
    private var current: Int?

    /// - Parameters:
    ///   - configured: at least one.
    ///   - limit: the most servers; at least as many as are configured.
    init(_ configured: [NATSServer], limit: Int) {
        self.configured = configured
        self.limit = max(limit, configured.count)
        servers = configured
    }

    /// Returns the server of the next attempt: the one behind that of the last attempt.
    mutating func next() -> NATSServer {
        let index = current.map { ($0 + 1) % servers.count } ?? 0
        current = index
        return servers[index]
    }

    /// Takes the servers of a cluster as its current server names them: those that it no longer names
    /// are forgotten, but for the configured ones and the current one.
    ///
    /// - Parameter names: texts that are no `host:port` are ignored.
    mutating func update(_ names: [String]) {
        let now = current.map { servers[$0] }
        let named = names.compactMap { try? NATSServer(parsing: $0) }
        servers.removeAll { $0 != now && !configured.contains($0) && !named.contains($0) }
        for server in named where servers.count < limit && !servers.contains(server) {
            servers.append(server)
        }
        current = now.flatMap { servers.firstIndex(of: $0) }
    }
}
