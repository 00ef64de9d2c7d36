public import RocketBase
import RocketSystem

/// Handles SIGHUP: reopens the log files, reads the configuration, applies the settings that can
/// change while the server runs, and logs the result of each change in the app stream.
///
/// Can be used on any thread; concurrent reloads run one after another.
public final class ConfigReload: Sendable {
    private let logs: LogSystem
    private let current: Locked<RocketConfig>
    /// The same, for readers that don't wait for a reload.
    private let shown: Locked<RocketConfig>
    private let read: @Sendable () throws -> RocketConfig
    private let apply: @Sendable (RocketConfig) throws -> Void

    /// Creates a reload that compares with `config` first.
    ///
    /// - Parameters:
    ///   - config: the configuration that the program started with.
    ///   - read: reads the configuration again, with all of its sections.
    ///   - apply: applies the settings that can change live, except log levels, which this type
    ///     applies itself. An error keeps the old configuration.
    public init(
        _ config: RocketConfig, logs: LogSystem,
        read: @escaping @Sendable () throws -> RocketConfig,
        apply: @escaping @Sendable (RocketConfig) throws -> Void
    ) {
        self.logs = logs
        self.read = read
        self.apply = apply
        current = Locked(config)
        shown = Locked(config)
    }

    /// The configuration that is in force. Does not wait for a reload that runs.
    public var config: RocketConfig { shown.withLock { $0 } }

    /// Reloads once. Blocks while files are read and opened, so it must not run on an event loop.
    public func run() { current.withLock { reload(&$0) } }

    private func reload(_ current: inout RocketConfig) {
        // First, and even if the configuration is invalid: logrotate depends on it.
        logs.reopen()
        do {
            let new = try read()
            for warning in new.warnings {
                logs.app.warn("configuration warning") { $0.add("detail", warning.description) }
            }
            let changes = new.diff(from: current)
            let next = current.adoptingLiveChanges(of: new)
            try apply(next)
            apply(next.log, logging: changes)
            current = next
            shown.withLock { $0 = next }
        } catch {
            logs.app.error("configuration not reloaded, the old one stays in force") {
                $0.add("error", String(describing: error))
            }
        }
    }

    /// Applies the log levels and logs the changes. The lower of the old and new app level is in
    /// force meanwhile; otherwise a higher level would suppress the log line of its own change.
    private func apply(_ log: LogConfig, logging changes: ConfigDiff) {
        logs.setLevel(log.effectiveRPCLevel, of: .rpc)
        let new = log.effectiveAppLevel
        logs.setLevel(min(logs.level(of: .app) ?? new, new), of: .app)
        for change in changes.live { logs.app.info("configuration change applied", change.fields) }
        for change in changes.restart {
            logs.app.warn("configuration change needs a restart", change.fields)
        }
        logs.app.info("configuration reloaded") {
            $0.add("applied", changes.live.count)
            $0.add("need_restart", changes.restart.count)
        }
        logs.setLevel(new, of: .app)
    }
}

extension ConfigDiff.Change {
    fileprivate func fields(_ line: inout LogFields) {
        line.add("path", path)
        line.add("old", old ?? "")
        line.add("new", new ?? "")
    }
}
