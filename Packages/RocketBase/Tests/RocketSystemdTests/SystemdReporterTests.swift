import RocketBase
import RocketSystem
@_spi(TestKit) import RocketSystemd
import Synchronization
import Testing

/// What the manager has heard, and a way to wait for it.
private final class Manager: Sendable {
    private let heard = Locked<[String]>([])
    private let count = FutexWord()

    func notifier(watchdogTimeout: Duration? = nil) -> SystemdNotifier {
        SystemdNotifier(watchdogTimeout: watchdogTimeout) { text in
            self.heard.withLock { $0.append(text) }
            self.count.increment()
            self.count.wakeAll()
        }
    }

    var all: [String] { heard.withLock { $0 } }

    /// Blocks until the manager has heard `text`.
    func wait(for text: String) {
        while true {
            let seen = count.value
            if all.contains(text) { return }
            count.wait(while: seen, atMost: .seconds(10))
        }
    }
}

@Suite struct SystemdReporterTests {
    @Test func readyIsSaidOnceWithTheStatus() {
        let manager = Manager()
        let reporter = SystemdReporter(manager.notifier(), time: FixedTime())
        reporter.describe { "0 calls/s\nall is well" }
        reporter.ready()
        reporter.ready()
        reporter.end()
        #expect(manager.all == ["READY=1\nSTATUS=0 calls/s all is well"])
    }

    @Test func aReloadStandsBetweenReloadingAndReady() {
        let manager = Manager()
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

    @Test func aStopAsksForTimeAndEndsReloads() {
        let manager = Manager()
        let reporter = SystemdReporter(manager.notifier(), time: FixedTime())
        reporter.ready()
        reporter.reloading()
        reporter.stopping(within: .seconds(30))
        reporter.stopping(within: .seconds(30))
        reporter.reloaded()
        reporter.reloading()
        reporter.end()
        let said = manager.all.filter { !$0.hasPrefix("RELOADING=1") }
        #expect(
            said == [
                "READY=1\nSTATUS=serving", "STOPPING=1\nSTATUS=draining",
                "EXTEND_TIMEOUT_USEC=5000000",
            ])
    }

    @Test func theStatusGoesOnWhileItDrains() {
        let manager = Manager()
        let reporter = SystemdReporter(manager.notifier())
        reporter.describe { "3 in flight" }
        reporter.ready()
        reporter.stopping(within: .seconds(30))
        manager.wait(for: "STATUS=draining, 3 in flight")
        reporter.end()
    }

    @Test func aServiceThatStopsWhileItStartsIsNeverReady() {
        let manager = Manager()
        let reporter = SystemdReporter(manager.notifier(), time: FixedTime())
        reporter.stopping(within: .seconds(1))
        reporter.ready()
        reporter.end()
        #expect(manager.all == ["STOPPING=1\nSTATUS=draining"])
    }

    @Test func theWatchdogHearsFromALogThatWrites() throws {
        let manager = Manager()
        let logs = try system()
        let reporter = SystemdReporter(
            manager.notifier(watchdogTimeout: .milliseconds(20)), logger: logs.app)
        reporter.watch(logs.watchdogTarget)
        reporter.ready()
        manager.wait(for: "WATCHDOG=1")
        // A log that was shut down keeps no word back.
        logs.shutdown()
        let before = manager.all.count
        manager.wait(forMoreThan: before)
        reporter.end()
    }

    @Test func onePartThatIsStuckSilencesAll() throws {
        let manager = Manager()
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
        #expect(lines.all == ["stuck: no word to the watchdog"])
        #expect(!manager.all.contains("WATCHDOG=1"))
    }
}

extension Manager {
    /// Blocks until more than `number` words came.
    fileprivate func wait(forMoreThan number: Int) {
        while all.count <= number {
            let seen = count.value
            if all.count > number { return }
            count.wait(while: seen, atMost: .seconds(10))
        }
    }
}

/// Seven seconds after the machine's start, for ever: no status falls due.
private struct FixedTime: TimeSource {
    func monotonic() -> MonotonicTime { MonotonicTime(nanoseconds: 7_000_000_000) }
    func wall() -> WallTime { WallTime(nanoseconds: 0) }
}

/// Counts the lines and keeps their messages.
private final class Lines: LogSink, Sendable {
    private let texts = Locked<[String]>([])
    private let count = FutexWord()
    let lostLines: UInt64 = 0

    var all: [String] { texts.withLock { $0 } }

    /// Blocks until there is one.
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
