public import RocketBase
public import RocketCodec
public import RocketRPC
import RocketTCP

/// Where spans are exported to, and the limits of that. A value.
public struct OTLPConfiguration: Sendable {
    /// The collector: an address such as `127.0.0.1:4317`, or a name that one of `resolvers` knows.
    public var endpoint: String
    /// Find the collector by its name. Default none: addresses only.
    public var resolvers: [any RPCResolver] = []
    /// Protects the connection. Default nil: it is plaintext.
    public var security: (any ClientTransportSecurity)?
    /// The most spans of one export. At least 1; default 512. It has about 1 MiB at most.
    public var batch = 512
    /// The most spans that wait; further ones are dropped. At least 1; default 4096. They take at most
    /// about 1 KiB each on average.
    public var queue = 4096
    /// The longest time that a span waits for others. Default 2 s.
    public var interval = Duration.seconds(2)
    /// The longest time of one export. Default 10 s.
    public var timeout = Duration.seconds(10)
    /// The longest time for what is left at the end. Default 3 s.
    public var drainTimeout = Duration.seconds(3)
    /// Fields that each export has, such as the key of an account. Default none.
    public var headers = RPCMetadata()
    /// Of traces that begin here one of so many is exported; 0: none. Default 100.
    public var callsPerTrace = 100
    /// What all spans have in common, such as `service.name`. Default: language and name of this
    /// library.
    public var resource = [
        "telemetry.sdk.language": "swift", "telemetry.sdk.name": "rocket",
    ]

    /// How long after a failure an export is repeated.
    var backOff = BackOff(first: .seconds(1), most: .seconds(30))

    /// The defaults for a collector.
    public init(endpoint: String) { self.endpoint = endpoint }

    /// The element `root/trace` of a configuration; nil: it has no element `otlp`. Reads the file of
    /// headers, so not on an event loop.
    ///
    /// - Parameters:
    ///   - program: the name of the service, unless the configuration has one.
    ///   - version: of the program; empty: unknown.
    ///   - security: makes what protects the connection: `TLSProvider` of RocketTLS; nil: none, so that
    ///     an element `tls` is an error.
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for TLS that can't be used, CHANNEL_INIT for a file of
    ///   headers that can't be.
    public init?(
        _ config: TraceConfig, program: String, version: String = "",
        security: (any TransportSecurityProvider)? = nil
    ) throws(RPCError) {
        guard let otlp = config.otlp else { return nil }
        self.init(endpoint: otlp.endpoint ?? "")
        callsPerTrace = config.callsPerTrace
        batch = otlp.batch
        queue = otlp.queue
        interval = otlp.interval
        timeout = otlp.timeout
        drainTimeout = otlp.drainTimeout
        resource["service.name"] = otlp.serviceName ?? program
        if !version.isEmpty { resource["service.version"] = version }
        for attribute in otlp.attributes {
            let parts = attribute.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { resource[String(parts[0])] = String(parts[1]) }
        }
        if let file = otlp.headersFile { headers = try HeadersFile.read(file) }
        guard var tls = otlp.tls else { return }
        tls.applicationProtocols = OTLPExporter.wire.applicationProtocols
        let path = "trace/otlp/tls"
        do throws(TransportSecurityError) {
            guard let security else { throw TransportSecurityError.noProvider(at: path) }
            self.security = try security.clientSecurity(tls, at: path)
        } catch { throw RPCError(.peerAddress, "\(error)") }
    }
}
