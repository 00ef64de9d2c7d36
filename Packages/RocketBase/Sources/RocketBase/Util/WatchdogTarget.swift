/// A part of the process that a watchdog monitors: an event loop, the log's writer, a store. A
/// value; any thread.
public struct WatchdogTarget: Sendable {
    /// The name of the part in the log line about a stuck part.
    public let name: String
    /// Schedules `acknowledge` on the thread of the part, after the work that is queued already,
    /// and returns at once. A part that has ended calls `acknowledge` directly. A part that never
    /// calls it counts as stuck, and the service manager then restarts the process.
    public let probe: @Sendable (_ acknowledge: @escaping @Sendable () -> Void) -> Void

    /// - Parameters:
    ///   - name: the name of the part in the log.
    ///   - probe: schedules its argument on the thread of the part; see `probe`.
    public init(
        name: String,
        probe: @escaping @Sendable (_ acknowledge: @escaping @Sendable () -> Void) -> Void
    ) {
        self.name = name
        self.probe = probe
    }
}

extension LogSystem {
    /// Monitors the writer's thread: it is stuck while the disk or the journal hangs.
    public var watchdogTarget: WatchdogTarget {
        WatchdogTarget(name: "log writer") { [weak self] acknowledge in
            if let self { probeWriter(acknowledge) } else { acknowledge() }
        }
    }
}
