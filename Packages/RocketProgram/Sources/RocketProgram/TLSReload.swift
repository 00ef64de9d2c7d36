public import RocketBase
import RocketSystem
import RocketSystemd
public import RocketTLS
public import ServiceLifecycle

/// Keeps the TLS of a program up to date while it runs: reads the files again when one has changed or
/// the configuration is reloaded, makes new keys for session tickets, and has the end of certificates
/// checked. A service of the program's `Daemon`, before its server. Any thread.
///
/// It has a thread of its own once the configuration has asked for TLS, and none before.
///
///     let tls = daemon.makeTLSReload()
///     let server = try RPCServer(config: config, services: […], security: tls.provider)
///     let reload = ConfigReload(config, logs: logs) { … } apply: { try tls.reload($0) }
///     try await daemon.run([tls, server], listening: …, reload: reload.run)
public final class TLSReload: Service {
    /// What servers and channels of the program are given.
    public let provider: TLSProvider
    private let logger: RocketLogger
    private let keyLifetime: Duration
    private let state = Locked(State())

    private struct State {
        var watch: FolderWatch?
        var thread: SystemThread?
        var hasEnded = false
        /// Why the last reload has failed.
        var failure: String?
    }

    /// - Parameters:
    ///   - logger: receives what is in force, certificates that expire soon, and an ERROR for each
    ///     reload that fails.
    ///   - keyLifetime: how long new session tickets use one key; they stay good for two more.
    ///     Default 8 hours.
    public convenience init(logger: RocketLogger, keyLifetime: Duration = .seconds(8 * 3600)) {
        self.init(TLSProvider(logger: logger), logger: logger, keyLifetime: keyLifetime)
    }

    init(_ provider: TLSProvider, logger: RocketLogger, keyLifetime: Duration = .seconds(8 * 3600))
    {
        self.provider = provider
        self.logger = logger
        self.keyLifetime = keyLifetime
    }

    /// Watches the files until the program shuts down.
    public func run() async throws {
        start()
        try? await gracefulShutdown()
        end()
    }

    /// Reads all files again, by a new configuration. For `ConfigReload`. Blocks on files.
    ///
    /// - Throws: the file that can't be used, or what else is wrong; nothing has changed then.
    public func reload(_ config: RocketConfig) throws(TransportSecurityError) {
        try record { () throws(TransportSecurityError) in try provider.reload(config) }
        start()
    }

    /// For the status line of the service manager: why the last reload failed, and when the first
    /// certificate expires; nil: there is no TLS.
    public var status: String? {
        let failure = state.withLock { $0.failure }
        let parts = [failure.map { "\($0), the old files stay in force" }, provider.status]
        let text = parts.compactMap(\.self).joined(separator: "; ")
        return text.isEmpty ? nil : text
    }

    private func record(
        _ reload: () throws(TransportSecurityError) -> Void
    ) throws(TransportSecurityError) {
        do throws(TransportSecurityError) {
            try reload()
            state.withLock { $0.failure = nil }
        } catch {
            let text = error.description
            state.withLock { $0.failure = text }
            throw error
        }
    }

    // MARK: The thread

    private func start() {
        if provider.files.isEmpty { return }
        state.withLock { state in
            guard state.thread == nil, !state.hasEnded else { return }
            do throws(SystemError) {
                let watch = try FolderWatch()
                state.watch = watch
                state.thread = try SystemThread(name: "rocket-tls") { self.keepWatch(by: watch) }
            } catch {
                logger.error("TLS files can't be watched, SIGHUP reloads them") {
                    $0.add("error", error.description)
                }
            }
        }
    }

    private func end() {
        let thread = state.withLock { state in
            state.hasEnded = true
            state.watch?.end()
            return state.thread.take()
        }
        thread?.join()
    }

    private func keepWatch(by watch: FolderWatch) {
        let clock = SystemTimeSource()
        var schedule = TLSReloadSchedule(at: clock.monotonic(), keyLifetime: keyLifetime)
        // What happened since the files were read.
        schedule.changed(at: clock.monotonic())
        var refused: [FileVersion?] = []
        var unwatched: [String] = []
        while true {
            let failures = watch.watch(provider.files.map { FileSystem.folder(of: $0.path) })
            if failures.map(\.folder) != unwatched {
                for failure in failures {
                    logger.warn("TLS files are not watched, only looked at once per hour") {
                        $0.add("error", failure.error.description)
                    }
                }
                unwatched = failures.map(\.folder)
            }
            do throws(SystemError) {
                switch try watch.wait(atMost: schedule.wait(at: clock.monotonic())) {
                case .ended: return
                case .changed: schedule.changed(at: clock.monotonic())
                case .timeout: break
                }
            } catch {
                return logger.error("TLS files are not watched any more") {
                    $0.add("error", error.description)
                }
            }
            for action in schedule.due(at: clock.monotonic()) { perform(action, &refused) }
        }
    }

    /// - Parameter refused: the files that the last reload has failed with.
    private func perform(_ action: TLSReloadSchedule.Action, _ refused: inout [FileVersion?]) {
        do throws(TransportSecurityError) {
            switch action {
            case .rotateKeys: return try provider.rotateTicketKeys()
            case .checkExpiry: provider.checkExpiry()
            case .look: break
            }
            // The folder may have files that change often, such as logs.
            let files = provider.files
            let now = files.map { FileVersion(of: $0.path) }
            if now == files.map(\.version) || now == refused { return }
            refused = now
            try record { () throws(TransportSecurityError) in try provider.reload() }
            refused = []
        } catch {
            logger.error("TLS files not reloaded, the old ones stay in force") {
                $0.add("error", error.description)
            }
        }
    }
}

extension Daemon {
    /// Makes what keeps the TLS of the program up to date: it logs in the app stream, and its status
    /// is in that of the service manager. Add it to the services of `run`. Once per program.
    public func makeTLSReload() -> TLSReload {
        let tls = TLSReload(logger: logs.app)
        systemd?.addCondition { tls.status }
        return tls
    }
}

/// When the files are looked at after a change, and when the rest is due. A value.
struct TLSReloadSchedule {
    enum Action: Hashable {
        /// Reload the files if one has changed.
        case look
        /// Report certificates that expire soon, and look at the files, which may be on a file system
        /// that does not report changes.
        case checkExpiry
        /// Make a new key for session tickets.
        case rotateKeys
    }

    /// Certificate and key are replaced one after the other: the files are looked at when nothing has
    /// changed for so long, …
    static let quiet = Duration.milliseconds(200)
    /// … but so long after the first change at the latest.
    static let longest = Duration.seconds(2)
    static let checkInterval = Duration.seconds(3600)

    private let keyLifetime: Duration
    private var first: MonotonicTime?
    private var last: MonotonicTime?
    private var nextCheck: MonotonicTime
    private var nextRotation: MonotonicTime

    init(at now: MonotonicTime, keyLifetime: Duration) {
        self.keyLifetime = max(keyLifetime, .seconds(1))
        nextCheck = now + Self.checkInterval
        nextRotation = now + self.keyLifetime
    }

    private var nextLook: MonotonicTime? {
        guard let first, let last else { return nil }
        return min(last + Self.quiet, first + Self.longest)
    }

    mutating func changed(at now: MonotonicTime) {
        first = first ?? now
        last = now
    }

    /// Returns what is due, once.
    mutating func due(at now: MonotonicTime) -> [Action] {
        var due: [Action] = []
        if let nextLook, nextLook <= now {
            due.append(.look)
            (first, last) = (nil, nil)
        }
        if nextCheck <= now {
            due.append(.checkExpiry)
            nextCheck = now + Self.checkInterval
        }
        if nextRotation <= now {
            due.append(.rotateKeys)
            nextRotation = now + keyLifetime
        }
        return due
    }

    /// How long nothing is due.
    func wait(at now: MonotonicTime) -> Duration {
        var next = min(nextCheck, nextRotation)
        if let nextLook { next = min(next, nextLook) }
        return max(.zero, next - now)
    }
}
