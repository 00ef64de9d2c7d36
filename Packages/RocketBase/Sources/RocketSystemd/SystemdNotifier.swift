import CSystemd
public import RocketSystem

/// Sends notifications to the service manager (sd_notify(3)). A value; any thread.
///
/// It exists only when NOTIFY_SOCKET is set. A datagram that can't be delivered is dropped; the
/// timeouts of the manager then take effect.
public struct SystemdNotifier: Sendable {
    /// The longest time between two `keepAlive` (WatchdogSec=), after which the manager kills the
    /// process; nil: no watchdog.
    public let watchdogTimeout: Duration?
    private let send: @Sendable (String) -> Void

    /// Returns a notifier according to the environment; nil when no service manager listens
    /// (NOTIFY_SOCKET is not set).
    public static func fromEnvironment() -> SystemdNotifier? {
        guard ProcessEnvironment.current["NOTIFY_SOCKET"] != nil else { return nil }
        var microseconds: UInt64 = 0
        // SAFETY: libsystemd writes one number.
        let isWatched = unsafe sd_watchdog_enabled(0, &microseconds) > 0
        return SystemdNotifier(
            watchdogTimeout: isWatched ? .microseconds(Int64(clamping: microseconds)) : nil
        ) { text in
            // SAFETY: libsystemd reads the text during the call.
            _ = unsafe sd_notify(0, text)
        }
    }

    /// A notifier that sends by `send`, for tests.
    @_spi(TestKit)
    public init(watchdogTimeout: Duration?, send: @escaping @Sendable (String) -> Void) {
        self.watchdogTimeout = watchdogTimeout
        self.send = send
    }

    /// READY=1: the start, or a reload, is complete.
    public func ready(status: String? = nil) { send("READY=1" + Self.line(status)) }

    /// STATUS=: one line of text for `systemctl status`.
    public func status(_ text: String) { send(String(Self.line(text).dropFirst())) }

    /// RELOADING=1 with the time on CLOCK_MONOTONIC, as Type=notify-reload requires; `ready` ends
    /// the reload.
    public func reloading(at now: MonotonicTime) {
        send("RELOADING=1\nMONOTONIC_USEC=\(now.nanoseconds / 1000)")
    }

    /// STOPPING=1: the service has begun to stop.
    public func stopping(status: String? = nil) { send("STOPPING=1" + Self.line(status)) }

    /// EXTEND_TIMEOUT_USEC=: the manager waits at least `duration` from now before it kills the
    /// process.
    public func extendTimeout(by duration: Duration) {
        send("EXTEND_TIMEOUT_USEC=\(max(0, duration.wholeNanoseconds) / 1000)")
    }

    /// WATCHDOG=1: restarts the watchdog's timeout.
    public func keepAlive() { send("WATCHDOG=1") }

    /// Assignments are separated by line feeds, so line feeds in the text become blanks.
    private static func line(_ status: String?) -> String {
        guard let status else { return "" }
        return "\nSTATUS=" + status.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
