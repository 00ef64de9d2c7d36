import RocketBaseTestKit
import RocketSystem
import Synchronization
import Testing

@testable import RocketBase

/// When lines reach a sink that someone watches, such as the journal.
@Suite struct LogPromptTests {
    /// A sink that signals each line.
    private final class Signalling: LogSink, Sendable {
        let lines = Atomic(0)
        let changed = AsyncEvent()
        let isPrompt: Bool
        var lostLines: UInt64 { 0 }

        init(isPrompt: Bool = true) { self.isPrompt = isPrompt }
        func write(_ event: borrowing LogEvent) {
            lines.add(1, ordering: .sequentiallyConsistent)
            changed.notify()
        }
        func endBatch() -> LogSinkNotice? { nil }
    }

    private let start = ManualTimeSource().monotonic()

    private func schedule(syncInterval: Duration = .milliseconds(500)) -> DrainSchedule {
        DrainSchedule(syncInterval: syncInterval, start: start)
    }

    @Test("Without a request the buffers are drained once per sync interval")
    func syncInterval() {
        var schedule = schedule()
        #expect(schedule.wait(for: .none, at: start) == .milliseconds(500))
        #expect(schedule.wait(for: .none, at: start + .milliseconds(499)) == .milliseconds(1))
        #expect(schedule.wait(for: .none, at: start + .milliseconds(501)) == .zero)
        schedule.drained(at: start + .milliseconds(501))
        #expect(schedule.wait(for: .none, at: start + .milliseconds(501)) == .milliseconds(500))
    }

    @Test("A prompt line is drained at once, and in a burst after 20 ms, below the promised 50 ms")
    func promptLines() {
        var schedule = schedule()
        let later = start + .seconds(1)
        #expect(schedule.wait(for: .prompt, at: later) == .zero)
        schedule.drained(at: later)
        #expect(schedule.wait(for: .prompt, at: later) == .milliseconds(20))
        #expect(schedule.wait(for: .prompt, at: later + .milliseconds(5)) == .milliseconds(15))
        #expect(schedule.wait(for: .prompt, at: later + .milliseconds(20)) == .zero)
        #expect(DrainSchedule.promptInterval < .milliseconds(50))
    }

    @Test("A sync interval below 20 ms holds for prompt lines, too")
    func shortSyncInterval() {
        let schedule = schedule(syncInterval: .milliseconds(3))
        #expect(schedule.wait(for: .prompt, at: start) == .milliseconds(3))
    }

    @Test("A full buffer, a probe and the end of the log do not wait")
    func urgentRequests() { #expect(schedule().wait(for: .now, at: start) == .zero) }

    private func system(_ sink: Signalling) throws -> (LogSystem, AsyncLogWriter) {
        var configuration = LogConfiguration()
        configuration.outputs = []
        configuration.rpcLevel = .trace
        let logs = try LogSystem(
            drivenByHand: configuration, time: ManualTimeSource(), sinks: [sink])
        return (logs, try #require(logs.rpc.filter.writer))
    }

    @Test(
        "Lines at INFO or above request a prompt drain, lines below do not",
        arguments: LogLevel.allCases)
    func levels(_ level: LogLevel) throws {
        let (logs, writer) = try system(Signalling())
        logs.rpc.log(level, "line")
        #expect(writer.request == (level >= .info ? .prompt : .none))
    }

    @Test("Without a prompt sink no line requests a drain")
    func noPromptSink() throws {
        let (logs, writer) = try system(Signalling(isPrompt: false))
        logs.rpc.critical("line")
        #expect(writer.request == .none)
    }

    @Test("The console is prompt, files are not")
    func sinks() throws {
        #expect(ConsoleSink(descriptor: 2, style: .plain).isPrompt)
        let folder = TemporaryFolder()
        var file = LogConfiguration.File()
        file.folder = folder.path
        #expect(try !RollingFileSink(file, now: ManualTimeSource().wall()).isPrompt)
    }

    @Test("The writer's thread does not wait for the sync interval")
    func thread() async throws {
        var configuration = LogConfiguration()
        configuration.outputs = []
        configuration.syncInterval = .seconds(3600)
        let sink = Signalling()
        let logs = try LogSystem(configuration, sinks: [sink])
        for number in 0..<3 {
            logs.app.info("line")
            await sink.changed.wait { sink.lines.load(ordering: .sequentiallyConsistent) > number }
        }
        #expect(sink.lines.load(ordering: .sequentiallyConsistent) == 3)
        logs.shutdown()
    }
}
