import CSystemd
public import RocketSystem

/// What a service says to its service manager: sd_notify(3) and nothing else. A value; any thread.
///
/// There is one only where NOTIFY_SOCKET is set. A datagram that can't be delivered is dropped:
/// the manager's own timeouts judge a service that is not heard.
public struct SystemdNotifier: Sendable {
    /// Within that time the manager wants to hear `keepAlive` (WatchdogSec=); nil: never.
    public let watchdogTimeout: Duration?
    private let send: @Sendable (String) -> Void

    /// Nil when this process is not watched by a service manager, by its environment.
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

    /// With a way of its own to the manager; for tests.
    @_spi(TestKit)
    public init(watchdogTimeout: Duration?, send: @escaping @Sendable (String) -> Void) {
        self.watchdogTimeout = watchdogTimeout
        self.send = send
    }

    /// READY=1: start, or reload, is over.
    public func ready(status: String? = nil) { send("READY=1" + Self.line(status)) }

    /// STATUS=: one line of text for `systemctl status`.
    public func status(_ text: String) { send(String(Self.line(text).dropFirst())) }

    /// RELOADING=1, stamped with CLOCK_MONOTONIC as Type=notify-reload wants it; `ready` ends it.
    public func reloading(at now: MonotonicTime) {
        send("RELOADING=1\nMONOTONIC_USEC=\(now.nanoseconds / 1000)")
    }

    /// STOPPING=1: the service ends by itself, and is not to be counted as stuck.
    public func stopping(status: String? = nil) { send("STOPPING=1" + Self.line(status)) }

    /// EXTEND_TIMEOUT_USEC=: from now on the manager waits at least that long before it kills.
    public func extendTimeout(by duration: Duration) {
        send("EXTEND_TIMEOUT_USEC=\(max(0, duration.wholeNanoseconds) / 1000)")
    }

    /// WATCHDOG=1: all is well.
    public func keepAlive() { send("WATCHDOG=1") }

    /// Assignments are separated by line feeds, so a text may not hold one.
    private static func line(_ status: String?) -> String {
        guard let status else { return "" }
        return "\nSTATUS=" + status.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
