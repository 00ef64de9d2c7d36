/// The export of spans by OpenTelemetry's protocol: the element `trace/otlp`.
public struct OTLPConfig: ConfigSection, Hashable {
    /// The address of the collector, or a name as that of a stub's address, such as
    /// 127.0.0.1:4317. Required.
    ///
    /// `trace/otlp/endpoint`: IP:PORT, [IPv6]:PORT, unix:PATH, unix:@NAME (up to 107 bytes),
    /// HOST:PORT, or SCHEME:NAME such as dns:///HOST:PORT; or empty. Default none. Needs a
    /// restart.
    public var endpoint: String?
    /// The largest number of spans of one export. An export has about 1 MiB at most.
    ///
    /// `trace/otlp/batch`: A whole number, 1 to 10000. Default 512. Needs a restart.
    public var batch = 512
    /// The largest number of spans that wait, besides those of the export that is under way.
    /// Further ones are dropped. They take at most 1 KiB each on average.
    ///
    /// `trace/otlp/queue`: A whole number, 1 to 1000000. Default 4096. Needs a restart.
    public var queue = 4096
    /// The longest time that a span waits for others of its batch.
    ///
    /// `trace/otlp/interval_ms`: A whole number of ms, 1 to 3600000. Default 2000 ms. Needs a
    /// restart.
    public var interval = Duration.milliseconds(2000)
    /// The longest time of one export. One that fails for a reason that passes is repeated for
    /// up to 5 minutes.
    ///
    /// `trace/otlp/timeout_ms`: A whole number of ms, 1 to 3600000. Default 10000 ms. Needs a
    /// restart.
    public var timeout = Duration.milliseconds(10_000)
    /// The longest time, after the server has drained, for the spans that are left.
    ///
    /// `trace/otlp/drain_timeout_ms`: A whole number of ms, 0 to 3600000. Default 3000 ms.
    /// Needs a restart.
    public var drainTimeout = Duration.milliseconds(3000)
    /// A file of header fields that each export has, such as the key of an account: lines NAME:
    /// VALUE; empty ones, and those that begin with #, are ignored. It is read at the start.
    /// Others than its owner and its group must not be able to read it.
    ///
    /// `trace/otlp/headers_file`: A path, absolute or relative to this file's folder, or
    /// ${CREDENTIALS_DIRECTORY}/NAME; or empty. Default none. Needs a restart.
    public var headersFile: String?
    /// The resource's service.name. Empty: the name of the program.
    ///
    /// `trace/otlp/service_name`: A text of 1 to 255 characters; or empty. Default none. Needs
    /// a restart.
    public var serviceName: String?
    /// Further attributes of the resource.
    ///
    /// `trace/otlp/attributes`: 0 to 32 values, separated by commas; each KEY=VALUE, such as
    /// deployment.environment.name=test. Default none. Needs a restart.
    public var attributes: [String] = []

    /// TLS of the connection; nil: it is plaintext.
    public var tls: StubTLSConfig?

    /// All fields have their defaults; the endpoint must be set.
    public init() {}
}

extension OTLPConfig {
    /// The schema of the `otlp` element below `trace`.
    public static let schema = ConfigSchema<Self>(
        "otlp",
        "The collector that spans are exported to, by OpenTelemetry's protocol over gRPC. No call waits "
            + "for it: spans that it does not take in time are dropped and counted.",
        [
            .init(
                "endpoint", \.endpoint, .optional(.target), .restart,
                "The address of the collector, or a name as that of a stub's address, such as "
                    + "127.0.0.1:4317. Required."),
            .init(
                "batch", \.batch, .integer(1...10_000), .restart,
                "The largest number of spans of one export. An export has about 1 MiB at most."),
            .init(
                "queue", \.queue, .integer(1...1_000_000), .restart,
                "The largest number of spans that wait, besides those of the export that is under way. "
                    + "Further ones are dropped. They take at most 1 KiB each on average."),
            .init(
                "interval_ms", \.interval, .milliseconds(1...3_600_000), .restart,
                "The longest time that a span waits for others of its batch."),
            .init(
                "timeout_ms", \.timeout, .milliseconds(1...3_600_000), .restart,
                "The longest time of one export. One that fails for a reason that passes is repeated for "
                    + "up to 5 minutes."),
            .init(
                "drain_timeout_ms", \.drainTimeout, .milliseconds(0...3_600_000), .restart,
                "The longest time, after the server has drained, for the spans that are left."),
            .init(
                "headers_file", \.headersFile, .optional(.credentialPath), .restart,
                "A file of header fields that each export has, such as the key of an account: lines "
                    + "NAME: VALUE; empty ones, and those that begin with #, are ignored. It is read at "
                    + "the start. Others than its owner and its group must not be able to read it."),
            .init(
                "service_name", \.serviceName, .optional(.text()), .restart,
                "The resource's service.name. Empty: the name of the program."),
            .init(
                "attributes", \.attributes, .list(of: .keyValue, count: 0...32), .restart,
                "Further attributes of the resource."),
        ], elements: [.init(\.tls, .restart)]
    ) { otlp in otlp.endpoint == nil ? "endpoint is missing" : nil }
}

extension ConfigType where Value == String {
    /// `KEY=VALUE`, both not empty.
    static var keyValue: Self {
        Self(
            allowed: "KEY=VALUE, such as deployment.environment.name=test",
            parse: { text in
                let parts = text.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
                    && text.utf8.count <= 1024 ? text : nil
            }, text: { $0 })
    }
}
