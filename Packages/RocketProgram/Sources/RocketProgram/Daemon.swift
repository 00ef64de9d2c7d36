import Foundation
import Logging
public import RocketBase
public import RocketSystemd
public import ServiceLifecycle
import UnixSignals

/// A program that serves until it is told to stop, the same way for all programs of the house:
/// signals, the ready line, and the service manager where there is one.
///
/// SIGTERM and SIGINT let the services finish, a second one ends the process at once; SIGHUP
/// reloads. `main` makes it, once the log is open.
public struct Daemon: Sendable {
    /// The program's name, as it stands in the ready line.
    public let name: String
    /// Its log; the writer is watched.
    public let logs: LogSystem
    /// Whom the environment names to be told; nil when nobody is.
    public let systemd: SystemdReporter?
    /// Sockets that were handed over.
    public let sockets: ListenFDs

    /// Looks at the environment, once.
    public init(name: String, logs: LogSystem) {
        self.name = name
        self.logs = logs
        systemd = .fromEnvironment(logger: logs.app)
        sockets = .fromEnvironment()
        systemd?.watch(logs.watchdogTarget)
    }

    /// Runs the services until they have ended: by themselves, or by a signal; then from the last
    /// one to the first.
    ///
    /// - Parameters:
    ///   - listening: waits until the program listens and says where; empty when it could not.
    ///   - reload: what SIGHUP asks for.
    /// - Throws: what a service throws.
    public func run(
        _ services: [any Service], listening: @escaping @Sendable () async -> [String],
        reload: @escaping @Sendable () -> Void
    ) async throws {
        // The group would log its own steps through swift-log; ours stand in the app stream.
        let quiet = Logger(label: name) { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(services: services, logger: quiet)
        // Trapped before the program says that it is ready: an earlier one would just end it.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let listener = Task { await follow(signals, group, reload) }
        defer { listener.cancel() }
        async let announced: Void = announce(listening)
        try await group.run()
        await announced
    }

    /// The last thing before the process ends: the service manager hears no more.
    public func end() { systemd?.end() }

    /// Scripts wait for this line. Nothing is said when the program could not start.
    private func announce(_ listening: () async -> [String]) async {
        let addresses = await listening()
        guard !addresses.isEmpty else { return }
        systemd?.ready()
        let list = addresses.joined(separator: " ")
        StandardOutput.write(line: "\(name) is ready, listening on \(list)")
    }

    private func follow(
        _ signals: UnixSignalsSequence, _ group: ServiceGroup, _ reload: () -> Void
    ) async {
        var isStopping = false
        for await signal in signals {
            if signal == .sighup {
                systemd?.reloading()
                reload()
                systemd?.reloaded()
            } else if isStopping {
                endNow(signal)
            } else {
                isStopping = true
                logs.app.info("stopping") { $0.add("signal", signal.description) }
                await group.triggerGracefulShutdown()
            }
        }
    }

    /// What runs is given up. The log is written, and the process dies of the signal, as one does
    /// that knows no better.
    private func endNow(_ signal: UnixSignal) -> Never {
        logs.app.warn("ending at once") { $0.add("signal", signal.description) }
        logs.shutdown()
        Foundation.signal(signal.rawValue, SIG_DFL)
        // To this thread, which may block it: of the others one might take it only after `_exit`.
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, signal.rawValue)
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
        raise(signal.rawValue)
        _exit(128 + signal.rawValue)
    }
}
