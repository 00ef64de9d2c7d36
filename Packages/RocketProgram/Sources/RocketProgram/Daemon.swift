import Logging
import RocketAdmin
public import RocketBase
import RocketSystem
public import RocketSystemd
public import ServiceLifecycle

/// Runs a server program until a signal stops it: handles signals, prints the ready line, and
/// notifies systemd if it started the program.
///
/// SIGTERM and SIGINT let the services finish; a second one ends the process at once, whatever
/// hangs. SIGHUP reloads the configuration on a thread of its own. SIGPIPE is ignored. Create it in
/// `main`, after the log is open.
public struct Daemon: Sendable {
    /// Name of the program in the ready line.
    public let name: String
    /// Log of the program; systemd's watchdog observes its writer thread.
    public let logs: LogSystem
    /// Sends notifications to systemd; nil if the environment has no NOTIFY_SOCKET.
    public let systemd: SystemdReporter?
    /// Listening sockets that systemd passed to the process.
    public let sockets: ListenFDs

    /// Reads systemd's environment variables, and ignores SIGPIPE: a server outlives the readers of
    /// its standard output. Raises the process's limit on open descriptors to the hard one, as far
    /// as the system lets it: the soft one is often 1024, for programs that use select(2).
    public init(name: String, logs: LogSystem) {
        StandardOutput.outliveReaders()
        do { try ProcessUsage.setDescriptorLimit(.max) } catch {
            logs.app.warn("the limit on descriptors stays as it is") { $0.add("error", error) }
        }
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
    /// - Throws: the error of a service; `ProgramFailure` when LISTEN_FDS is not true.
    public func run(
        _ services: [any Service], listening: @escaping @Sendable () async -> [String],
        reload: @escaping @Sendable () -> Void
    ) async throws {
        if let fault = sockets.fault { throw ProgramFailure(fault, status: .configuration) }
        // The group logs its steps through swift-log; Rocket logs its own in the app stream.
        let quiet = Logger(label: name) { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(services: services, logger: quiet)
        let reloads = ReloadThread { [systemd] in
            systemd?.reloading()
            reload()
            systemd?.reloaded()
        }
        let isStopping = Locked(false)
        // Before the ready line: a signal that arrives earlier ends the process at once.
        try Signals.listen(for: [.terminate, .interrupt, .hangUp]) { [logs] signal in
            if signal == .hangUp { return reloads.request() }
            let isSecond = isStopping.withLock { isStopping in
                defer { isStopping = true }
                return isStopping
            }
            if isSecond { Self.endNow(signal, logs) }
            logs.app.info("stopping") { $0.add("signal", signal.name) }
            Task { await group.triggerGracefulShutdown() }
        }
        systemd?.holdReady()
        async let announced: Void = announce(services, listening)
        try await group.run()
        await announced
    }

    /// Ends the notifications to systemd. Call it last, before the process ends.
    public func end() { systemd?.end() }

    /// Prints the ready line, for which scripts wait, and notifies systemd.
    private func announce(
        _ services: [any Service], _ listening: () async -> [String]
    ) async {
        let addresses = await listening()
        guard !addresses.isEmpty else { return }
        // A program whose page can't listen ends, and must not have been ready before.
        for case let page as AdminServer in services {
            if await page.boundAddress == nil { return }
        }
        systemd?.ready(endsHold: true)
        let list = addresses.joined(separator: " ")
        if !StandardOutput.isWritten("\(name) is ready, listening on \(list)\n") {
            logs.app.warn("the ready line could not be written to standard output")
        }
    }

    /// The longest time that the log's last lines may take when the process ends at once.
    private static var endTimeout: Duration { .seconds(1) }

    /// Ends the process without waiting for calls, by the default action of the signal. A log that
    /// can't be written, such as that of a disk that hangs, is given up after `endTimeout`.
    private static func endNow(_ signal: Signal, _ logs: LogSystem) -> Never {
        logs.app.warn("ending at once") { $0.add("signal", signal.name) }
        let isWritten = FutexWord()
        let thread = try? SystemThread(name: "rocket-end") {
            logs.shutdown()
            isWritten.exchange(1)
            isWritten.wakeAll()
        }
        let clock = SystemTimeSource()
        let deadline = clock.monotonic() + endTimeout
        while thread != nil, isWritten.value == 0, clock.monotonic() < deadline {
            isWritten.wait(while: 0, atMost: deadline - clock.monotonic())
        }
        Signals.endProcess(by: signal)
    }
}

/// Runs reloads one after another on a thread of their own, which a file that hangs may block. A
/// request during a reload causes one more afterwards. Any thread.
final class ReloadThread: Sendable {
    private enum State { case idle, running, requestedAgain }
    private let state = Locked(State.idle)
    private let reload: @Sendable () -> Void

    init(_ reload: @escaping @Sendable () -> Void) { self.reload = reload }

    /// Starts a reload; does not block.
    func request() {
        let isIdle = state.withLock { state in
            defer { state = state == .idle ? .running : .requestedAgain }
            return state == .idle
        }
        guard isIdle else { return }
        do throws(SystemError) {
            try SystemThread(name: "rocket-reload") { self.run() }.detach()
        } catch {
            // No more threads: better late than never.
            run()
        }
    }

    private func run() {
        repeat {
            reload()
        } while state.withLock { state in
            let isAgain = state == .requestedAgain
            state = isAgain ? .running : .idle
            return isAgain
        }
    }
}
