public import RocketBase
import RocketSystem

/// What SIGHUP asks for: opens the log files again, reads the configuration, applies what may
/// change while the server runs, and says in the app stream what became of each change. Any
/// thread, one reload at a time.
public final class ConfigReload: Sendable {
    private let logs: LogSystem
    private let current: Locked<RocketConfig>
    private let read: @Sendable () throws -> RocketConfig
    private let apply: @Sendable (RocketConfig) throws -> Void

    /// - Parameters:
    ///   - config: what is in force at first.
    ///   - read: reads the configuration anew, with all of its sections.
    ///   - apply: takes over what may change live, levels of the log excepted.
    public init(
        _ config: RocketConfig, logs: LogSystem,
        read: @escaping @Sendable () throws -> RocketConfig,
        apply: @escaping @Sendable (RocketConfig) throws -> Void
    ) {
        self.logs = logs
        self.read = read
        self.apply = apply
        current = Locked(config)
    }

    /// Blocks on the disk.
    public func run() { current.withLock { reload(&$0) } }

    private func reload(_ current: inout RocketConfig) {
        // First, whatever the file is like: logrotate waits for nothing else.
        logs.reopen()
        do {
            let new = try read()
            for warning in new.warnings {
                logs.app.warn("configuration warning") { $0.add("detail", warning.description) }
            }
            let changes = new.diff(from: current)
            let next = current.adoptingLiveChanges(of: new)
            try apply(next)
            adopt(next.log, telling: changes)
            current = next
        } catch {
            logs.app.error("configuration not reloaded, the old one stays in force") {
                $0.add("error", String(describing: error))
            }
        }
    }

    /// A level that rises must not silence the report of its own change, nor may one that falls
    /// come too late for it: until all is told the lower one is in force.
    private func adopt(_ log: LogConfig, telling changes: ConfigDiff) {
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
