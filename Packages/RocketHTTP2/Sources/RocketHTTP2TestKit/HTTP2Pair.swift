public import RocketHTTP2

/// A client's and a server's session in memory, with recorders.
public final class HTTP2Pair {
    /// The recorders of the events.
    public let clientEvents = HTTP2Recorder(), serverEvents = HTTP2Recorder()
    /// The sessions.
    public let client: HTTP2Session
    /// The sessions.
    public let server: HTTP2Session
    /// Bytes arrive in parts of this size.
    public var part = Int.max

    /// Makes a pair that has exchanged nothing.
    public init(
        client: HTTP2Configuration = HTTP2Configuration(),
        server: HTTP2Configuration = HTTP2Configuration(),
        memory: HTTP2MemoryPool = HTTP2MemoryPool()
    ) throws {
        self.client = try HTTP2Session(
            role: .client, configuration: client, memory: memory, handler: clientEvents)
        self.server = try HTTP2Session(
            role: .server, configuration: server, memory: memory, handler: serverEvents)
    }

    /// Passes on what the sessions send until neither sends more.
    public func exchange() throws(HTTP2Error) {
        while client.wantsSend || server.wantsSend {
            let toServer = client.output()
            if let error = toServer.error { throw error }
            try server.receive(toServer.bytes, part: part)
            let toClient = server.output()
            if let error = toClient.error { throw error }
            try client.receive(toClient.bytes, part: part)
        }
    }
}
