import RocketBase
import RocketSystem
@_spi(TestKit) import RocketSystemd
import Synchronization
import Testing

/// Records the notifications of a reporter, and waits for them.
private final class FakeServiceManager: Sendable {
    private let notifications = Locked<[String]>([])
    private let count = FutexWord()

    func notifier(watchdogTimeout: Duration? = nil) -> SystemdNotifier {
        SystemdNotifier(watchdogTimeout: watchdogTimeout) { text in
            self.notifications.withLock { $0.append(text) }
            self.count.increment()
            self.count.wakeAll()
        }
    }

    var all: [String] { notifications.withLock { $0 } }

    /// Blocks until `text` was received.
    func wait(for text: String) {
        while true {
            let seen = count.value
            if all.contains(text) { return }
            count.wait(while: seen, atMost: .seconds(10))
        }
    }
}

@Suite struct SystemdReporterTests {
    @Test("READY=1 is sent once, with the status")
    func readiness() {
        let manager = FakeServiceManager()
        let reporter = SystemdReporter(manager.notifier(), time: FixedTime())
        reporter.describe { "0 calls/s\nall is well" }
        reporter.ready()
        reporter.ready()
        reporter.end()
        #expect(manager.all == ["READY=1\nSTATUS=0 calls/s all is well"])
    }

    @Test("A program with several parts is ready when it says so, not when its server does")
    func held() {
        let manager = FakeServiceManager()
        let reporter = SystemdReporter(manager.notifier(), time: FixedTime())
        reporter.holdReady()
        reporter.ready()
        #expect(manager.all == [])
        reporter.ready(endsHold: true)
        reporter.end()
        #expect(manager.all == ["READY=1\nSTATUS=serving"])
    }

    @Test("The status begins with the conditions of the program, as long as there are any")
    func conditions() {
        let manager = FakeServiceManager()
        let reporter = SystemdReporter(manager.notifier(), time: FixedTime())
        reporter.describe { "0 calls/s" }
        reporter.addCondition { "orders are not stored: the disk is full" }
        reporter.addCondition { nil }
        reporter.ready()
        reporter.end()
        #expect(
            manager.all == ["READY=1\nSTATUS=orders are not stored: the disk is full; 0 calls/s"])
    }

    @Test("A reload sends RELOADING=1, then READY=1")
    func reload() {
        let manager = FakeServiceManager()
        let reporter = SystemdReporter(manager.notifier(), time: FixedTime())
        reporter.reloading()
        reporter.reloaded()
        #expect(manager.all == [])
        reporter.ready()
        reporter.reloading()
        reporter.reloaded()
        reporter.end()
        #expect(
            manager.all == [
                "READY=1\nSTATUS=serving", "RELOADING=1\nMONOTONIC_USEC=7000000", "READY=1",
            ])
    }

    @Test("A stop extends the timeout and ends reloads")
    func stop() {
        let manager = FakeServiceManager()
        let reporter = SystemdReporter(manager.notifier(), time: FixedTime())
        reporter.ready()
        reporter.reloading()
        reporter.stopping(within: .seconds(30))
        reporter.stopping(within: .seconds(30))
        reporter.reloaded()
        reporter.reloading()
        reporter.end()
        let sent = manager.all.filter { !$0.hasPrefix("RELOADING=1") }
        #expect(
            sent == [
                "READY=1\nSTATUS=serving", "STOPPING=1\nSTATUS=draining",
                "EXTEND_TIMEOUT_USEC=5000000",
            ])
    }

    @Test("Statuses continue during the drain")
    func drainStatus() {
        let manager = FakeServiceManager()
        let reporter = SystemdReporter(manager.notifier())
        reporter.describe { "3 in flight" }
        reporter.ready()
        reporter.stopping(within: .seconds(30))
        manager.wait(for: "STATUS=draining, 3 in flight")
        reporter.end()
    }

    @Test("A service that stops during its start never sends READY=1")
    func earlyStop() {
        let manager = FakeServiceManager()
        let reporter = SystemdReporter(manager.notifier(), time: FixedTime())
        reporter.stopping(within: .seconds(1))
        reporter.ready()
        reporter.end()
        #expect(manager.all == ["STOPPING=1\nSTATUS=draining"])
    }

    @Test("WATCHDOG=1 is sent while the log writer works, and after its shutdown")
    func logWriter() throws {
        let manager = FakeServiceManager()
        let logs = try system()
        let reporter = SystemdReporter(
            manager.notifier(watchdogTimeout: .milliseconds(20)), logger: logs.app)
        reporter.watch(logs.watchdogTarget)
        reporter.ready()
        manager.wait(for: "WATCHDOG=1")
        // A log that was shut down acknowledges at once.
        logs.shutdown()
        let before = manager.all.count
        manager.wait(forMoreThan: before)
        reporter.end()
    }

    @Test("One stuck target withholds WATCHDOG=1")
    func oneStuckTarget() throws {
        let manager = FakeServiceManager()
        let lines = Lines()
        let logs = try system([lines])
        let reporter = SystemdReporter(
            manager.notifier(watchdogTimeout: .milliseconds(20)), logger: logs.app)
        reporter.watch(WatchdogTarget(name: "moving") { $0() })
        reporter.watch(WatchdogTarget(name: "rocket-io-1") { _ in })
        reporter.ready()
        lines.wait()
        reporter.end()
        logs.shutdown()
        #expect(lines.all == ["stuck: the watchdog is not notified"])
        #expect(!manager.all.contains("WATCHDOG=1"))
    }
}

extension FakeServiceManager {
    /// Blocks until more than `number` notifications were received.
    fileprivate func wait(forMoreThan number: Int) {
        while all.count <= number {
            let seen = count.value
            if all.count > number { return }
            count.wait(while: seen, atMost: .seconds(10))
        }
    }
}

/// A clock that always shows seven seconds: no status becomes due.
private struct FixedTime: TimeSource {
    func monotonic() -> MonotonicTime { MonotonicTime(nanoseconds: 7_000_000_000) }
    func wall() -> WallTime { WallTime(nanoseconds: 0) }
}

/// Keeps the message of each line.
private final class Lines: LogSink, Sendable {
    private let texts = Locked<[String]>([])
    private let count = FutexWord()
    let lostLines: UInt64 = 0

    var all: [String] { texts.withLock { $0 } }

    /// Blocks until there is a line.
    func wait() { while count.value == 0 { count.wait(while: 0, atMost: .seconds(10)) } }

    func write(_ event: borrowing LogEvent) {
        let text = event.withPart(.message) { String(decoding: $0, as: UTF8.self) }
        texts.withLock { $0.append(text) }
        count.increment()
        count.wakeAll()
    }

    func endBatch() -> LogSinkNotice? { nil }
}

private func system(_ sinks: sending [any LogSink] = []) throws -> LogSystem {
    var configuration = LogConfiguration()
    configuration.outputs = []
    return try LogSystem(configuration, sinks: sinks)
}
