public import Logging
@_spi(LogBridge) public import RocketBase

/// swift-log's backend: every library's `Logger` writes into Rocket's log.
///
/// ```swift
/// LoggingSystem.bootstrap(RocketLogHandler.factory(logs))
/// ```
///
/// The label goes into the field `label`, metadata into fields of their names. A line is written
/// when both this handler's level and the stream's let it pass.
public struct RocketLogHandler: LogHandler {
    /// The lowest level of this logger; starts at the lowest, so that the stream's decides.
    public var logLevel = Logger.Level.trace
    /// What this logger adds to each of its lines.
    public var metadata = Logger.Metadata()
    /// Asked for more at each line.
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let logger: RocketLogger

    /// - Parameters:
    ///   - label: swift-log's name of the part that logs.
    ///   - logger: the stream that the lines go to.
    public init(
        label: String, logger: RocketLogger,
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.label = label
        self.logger = logger
        self.metadataProvider = metadataProvider
    }

    /// For `LoggingSystem.bootstrap`: labels that begin with one of `rpcLabels` go to the rpc
    /// stream, all others to the app stream.
    public static func factory(
        _ logs: LogSystem, rpcLabels: [String] = ["rocket."]
    ) -> @Sendable (String, Logger.MetadataProvider?) -> any LogHandler {
        { label, provider in
            let isRPC = rpcLabels.contains { label.hasPrefix($0) }
            return RocketLogHandler(
                label: label, logger: isRPC ? logs.rpc : logs.app, metadataProvider: provider)
        }
    }

    /// One of this logger's metadata values.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line: the line's own metadata over the provider's over the logger's.
    public func log(event: Logging.LogEvent) {
        let level = LogLevel(event.level)
        guard logger.isEnabled(level) else { return }
        var merged = metadata
        if let provided = metadataProvider?.get() { merged.merge(provided) { $1 } }
        if let own = event.metadata { merged.merge(own) { $1 } }
        logger.write(
            level, event.message.description, file: event.file, line: event.line,
            function: event.function
        ) { fields in
            fields.add("label", label)
            for (key, value) in merged.sorted(by: { $0.key < $1.key }) {
                fields.add(dynamicKey: key, value.description)
            }
        }
    }
}

extension LogLevel {
    /// swift-log's seven levels in our six: notice is INFO.
    public init(_ level: Logger.Level) {
        switch level {
        case .trace: self = .trace
        case .debug: self = .debug
        case .info, .notice: self = .info
        case .warning: self = .warn
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}
