import Foundation
import RocketBase
import RocketSystem
import ServiceLifecycle
import Testing

@testable import RocketProgram

/// Signals of a daemon, each in a child process of its own.
struct DaemonTests {
    /// Runs until its group shuts down; then, if there is a second signal, sends it and never ends.
    struct Example: Service {
        let second: Signal?
        func run() async throws {
            try? await gracefulShutdown()
            guard let second else { return }
            DaemonTests.send(second)
            await unsafe withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        }
    }

    /// Sends a signal to the process: threads of Dispatch block those that are sent to a thread.
    static func send(_ signal: Signal) { kill(CurrentProcess.processID, signal.rawValue) }

    /// Runs a daemon that sends `signals` once it listens, and exits with status 7 after its end.
    static func run(
        sending signals: [Signal], second: Signal? = nil, logs: LogSystem? = nil,
        reload: @escaping @Sendable () -> Void = {}
    ) async throws {
        var configuration = LogConfiguration()
        configuration.outputs = []
        let logs = try logs ?? LogSystem(configuration)
        let daemon = Daemon(name: "example", logs: logs)
        try await daemon.run(
            [Example(second: second)],
            listening: {
                for signal in signals { send(signal) }
                return []
            }, reload: reload)
        logs.shutdown()
        exit(7)
    }

    /// Blocks its thread for good.
    static func hang() {
        let never = FutexWord()
        while true { never.wait(while: 0, atMost: nil) }
    }

    @Test("SIGTERM and SIGINT let the services finish", arguments: [Signal.terminate, .interrupt])
    func stop(signal: Signal) async {
        await #expect(processExitsWith: .exitCode(7)) { [signal = signal.rawValue as Int32] in
            try await Self.run(sending: [Signal(rawValue: signal) ?? .user1])
        }
    }

    @Test("The limit on descriptors is raised to the hard one")
    func descriptors() async {
        await #expect(processExitsWith: .success) {
            try ProcessUsage.setDescriptorLimit(.max)
            let hard = try ProcessUsage.descriptorLimit()
            try ProcessUsage.setDescriptorLimit(hard / 2)
            let logs = try LogSystem(LogConfiguration())
            _ = Daemon(name: "test", logs: logs)
            try #require(ProcessUsage.descriptorLimit() == hard)
            logs.shutdown()
        }
    }

    @Test("A second signal ends the process at once by that signal")
    func second() async {
        await #expect(processExitsWith: .signal(SIGINT)) {
            try await Self.run(sending: [.terminate], second: .interrupt)
        }
    }

    @Test("SIGTERM is handled while a reload hangs on its file")
    func duringReload() async {
        await #expect(processExitsWith: .exitCode(7)) {
            try await Self.run(sending: [.hangUp, .terminate], reload: Self.hang)
        }
    }

    @Test("A second SIGTERM ends the process while the log hangs")
    func stuckLog() async {
        final class StuckSink: LogSink {
            let lostLines: UInt64 = 0
            func write(_ event: borrowing LogEvent) { DaemonTests.hang() }
            func endBatch() -> LogSinkNotice? { nil }
        }
        await #expect(processExitsWith: .signal(SIGTERM)) {
            var configuration = LogConfiguration()
            configuration.outputs = []
            let logs = try LogSystem(configuration, sinks: [StuckSink()])
            try await Self.run(sending: [.terminate], second: .terminate, logs: logs)
        }
    }

    @Test("Reloads run one after another; requests during one cause a single further one")
    func reloads() throws {
        let (started, ended, gate) = (FutexWord(), FutexWord(), FutexWord())
        let reloads = ReloadThread {
            started.increment()
            started.wakeAll()
            while gate.value == 0 { gate.wait(while: 0, atMost: nil) }
            ended.increment()
            ended.wakeAll()
        }
        reloads.request()
        while started.value == 0 { started.wait(while: 0, atMost: nil) }
        for _ in 0..<5 { reloads.request() }
        #expect(started.value == 1)
        gate.exchange(1)
        gate.wakeAll()
        while ended.value < 2 { ended.wait(while: ended.value, atMost: nil) }
        #expect(started.value == 2)
    }

    @Test("A request during a further reload waits for its end, too: no two reloads run at a time")
    func furtherReloads() {
        let (started, ended, gate) = (FutexWord(), FutexWord(), FutexWord())
        let threads = Locked<Set<Int32>>([])
        let reloads = ReloadThread {
            threads.withLock { _ = $0.insert(CurrentThread.id) }
            started.increment()
            let number = started.value
            started.wakeAll()
            while gate.value < number { gate.wait(while: gate.value, atMost: nil) }
            ended.increment()
            ended.wakeAll()
        }
        reloads.request()
        // The first reload and the one that it causes; each lasts until its gate opens.
        for number: UInt32 in 1...2 {
            while started.value < number { started.wait(while: started.value, atMost: nil) }
            reloads.request()
            gate.exchange(number == 1 ? 1 : 3)
            gate.wakeAll()
        }
        while ended.value < 3 { ended.wait(while: ended.value, atMost: nil) }
        #expect(threads.withLock { $0.count } == 1)
    }

    @Test("A log line of a console that nobody reads does not keep a daemon from ending")
    func stuckConsole() async {
        await #expect(processExitsWith: .exitCode(7)) {
            // Standard output and error: a full pipe whose reader lives.
            StuckPipe.replaceStandardStreams()
            var configuration = LogConfiguration()
            configuration.outputs = [.console]
            let logs = try LogSystem(configuration)
            for _ in 0..<1000 { logs.app.info("\(String(repeating: "x", count: 1000))") }
            StandardOutput.outliveReaders()
            StandardOutput.write(line: "ready")
            try await Self.run(sending: [.terminate], logs: logs)
        }
    }
}

/// A pipe without a byte of room, whose reader lives and does not read.
enum StuckPipe {
    static func replaceStandardStreams() {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { exit(99) }
        let flags = fcntl(ends[1], F_GETFL)
        _ = fcntl(ends[1], F_SETFL, flags | O_NONBLOCK)
        let chunk = [UInt8](repeating: 0, count: 4096)
        while write(ends[1], chunk, chunk.count) > 0 {}
        _ = fcntl(ends[1], F_SETFL, flags)
        dup2(ends[1], 1)
        dup2(ends[1], 2)
    }
}
