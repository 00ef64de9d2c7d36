/// What a server says of itself and of its cluster (`INFO`). A value.
public struct NATSServerInfo: Hashable, Sendable {
    /// The server's own id.
    public var serverID = ""
    /// Its name; often its id.
    public var serverName = ""
    /// Its version, such as `2.9.10`.
    public var version = ""
    /// The longest payload that it takes, headers included, in bytes.
    public var maxPayloadBytes = 1 << 20
    /// Whether it takes TLS connections only.
    public var requiresTLS = false
    /// Whether it takes TLS connections.
    public var offersTLS = false
    /// Whether it demands that clients authenticate themselves.
    public var requiresAuthentication = false
    /// What is to be signed by an NKEY; empty: none is demanded.
    public var nonce = ""
    /// Whether it delivers headers.
    public var hasHeaders = false
    /// Other servers of its cluster, as `host:port`; at most 64.
    public var clusterServers: [String] = []
    /// Whether it is about to shut down (`ldm`): its clients are to connect to another one.
    public var isShuttingDown = false

    /// The most servers of a cluster that are kept.
    static let maxClusterServers = 64

    /// Creates one with defaults.
    public init() {}

    /// Reads the JSON of `INFO`.
    ///
    /// - Throws: `info` if it is no object, or says no `max_payload` of 1 byte or more.
    @_spi(Fuzzing) public init(json: [UInt8]) throws(NATSProtocolError) {
        let start = "INFO ".utf8.count
        guard let object = JSONObject(json) else {
            throw NATSProtocolError(.info, at: start, "found no JSON object")
        }
        guard let payload = object.number("max_payload"), payload > 0 else {
            throw NATSProtocolError(
                .info, at: start, "found no max_payload, or one below 1")
        }
        maxPayloadBytes = Int(payload)
        serverID = object.text("server_id")
        serverName = object.text("server_name")
        version = object.text("version")
        requiresTLS = object.truth("tls_required")
        offersTLS = requiresTLS || object.truth("tls_available")
        requiresAuthentication = object.truth("auth_required")
        nonce = object.text("nonce")
        hasHeaders = object.truth("headers")
        clusterServers = Array(object.texts("connect_urls").prefix(Self.maxClusterServers))
        isShuttingDown = object.truth("ldm")
    }
}
