import Foundation
import Logging
public import RocketBase
public import RocketSystemd
public import ServiceLifecycle
import UnixSignals

/// Runs a server program until a signal stops it: handles signals, prints the ready line, and
/// notifies systemd if it started the program.
///
/// SIGTERM and SIGINT let the services finish; a second one ends the process at once. SIGHUP
/// reloads the configuration. Create it in `main`, after the log is open.
public struct Daemon: Sendable {
    /// Name of the program in the ready line.
    public let name: String
    /// Log of the program; systemd's watchdog observes its writer thread.
    public let logs: LogSystem
    /// Sends notifications to systemd; nil if the environment has no NOTIFY_SOCKET.
    public let systemd: SystemdReporter?
    /// Listening sockets that systemd passed to the process.
    public let sockets: ListenFDs

    /// Reads systemd's environment variables.
    public init(name: String, logs: LogSystem) {
        self.name = name
        self.logs = logs
        systemd = .fromEnvironment(logger: logs.app)
        sockets = .fromEnvironment()
        systemd?.watch(logs.watchdogTarget)
    }

    /// Runs the services until they end, or until a signal stops them, the last one first.
    ///
    /// - Parameters:
    ///   - listening: waits until the program listens and returns its addresses; an empty array
    ///     means that it does not listen, and no ready line is printed.
    ///   - reload: called for each SIGHUP.
    /// - Throws: the error of a service.
    public func run(
        _ services: [any Service], listening: @escaping @Sendable () async -> [String],
        reload: @escaping @Sendable () -> Void
    ) async throws {
        // The group logs its steps through swift-log; Rocket logs its own in the app stream.
        let quiet = Logger(label: name) { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(services: services, logger: quiet)
        // Before the ready line: a signal that arrives earlier would end the process at once.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let listener = Task { await follow(signals, group, reload) }
        defer { listener.cancel() }
        async let announced: Void = announce(listening)
        try await group.run()
        await announced
    }

    /// Ends the notifications to systemd. Call it last, before the process ends.
    public func end() { systemd?.end() }

    /// Prints the ready line, for which scripts wait, and notifies systemd.
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

    /// Ends the process without waiting for calls: writes the log, restores the default disposition
    /// of the signal and raises it again, so that the parent process sees the signal as the cause.
    private func endNow(_ signal: UnixSignal) -> Never {
        logs.app.warn("ending at once") { $0.add("signal", signal.description) }
        logs.shutdown()
        Foundation.signal(signal.rawValue, SIG_DFL)
        // Unblock the signal in this thread: another thread might handle it only after `_exit`.
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, signal.rawValue)
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
        raise(signal.rawValue)
        _exit(128 + signal.rawValue)
    }
}
