public import Logging
@_spi(LogBridge) public import RocketBase

/// A backend of swift-log: the `Logger`s of libraries write to Rocket's log.
///
/// ```swift
/// LoggingSystem.bootstrap(RocketLogHandler.factory(logs))
/// ```
///
/// The label becomes the field `label`, and each metadata entry a field with its key. A line is
/// written when its level is enabled in this handler and in the stream.
public struct RocketLogHandler: LogHandler {
    /// The lowest level of this logger. Default trace, so that the level of the stream decides.
    public var logLevel = Logger.Level.trace
    /// The metadata of all lines of this logger.
    public var metadata = Logger.Metadata()
    /// Provides additional metadata for each line.
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let logger: RocketLogger

    /// - Parameters:
    ///   - label: the label of the `Logger`.
    ///   - logger: writes the lines.
    ///   - metadataProvider: provides additional metadata for each line.
    public init(
        label: String, logger: RocketLogger,
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.label = label
        self.logger = logger
        self.metadataProvider = metadataProvider
    }

    /// Returns a factory for `LoggingSystem.bootstrap`: lines whose label begins with one of
    /// `rpcLabels` go to the rpc stream, all others to the app stream.
    ///
    /// - Parameter metadataProvider: provides additional metadata for each line of all loggers.
    public static func factory(
        _ logs: LogSystem, rpcLabels: [String] = ["rocket."],
        metadataProvider: Logger.MetadataProvider? = nil
    ) -> @Sendable (String) -> any LogHandler {
        { label in
            let isRPC = rpcLabels.contains { label.hasPrefix($0) }
            return RocketLogHandler(
                label: label, logger: isRPC ? logs.rpc : logs.app,
                metadataProvider: metadataProvider)
        }
    }

    /// The metadata value of this logger with the given key.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line. Its own metadata overrides that of the provider, which overrides that of
    /// the logger.
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
    /// Maps the seven levels of swift-log to six: notice becomes INFO.
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
