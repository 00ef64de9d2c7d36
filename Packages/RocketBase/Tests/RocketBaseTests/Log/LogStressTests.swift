import Foundation
import RocketBaseTestKit
import RocketSystem
import Testing

@testable import RocketBase

@Suite struct LogStressTests {
    /// Eight threads, a new file every few KB, and a rename and reopen, as by logrotate, in
    /// between.
    @Test("Each accepted line is written once, in the order of its thread")
    func concurrentThreads() throws {
        let folder = TemporaryFolder()
        var configuration = LogConfiguration()
        configuration.file.folder = folder.path
        configuration.file.name = "stress"
        configuration.file.maxBytes = 8 * 1024
        configuration.file.maxFiles = 0
        configuration.bufferCount = 4
        configuration.bufferBytes = 64 * 1024
        configuration.maxLineBytes = 1024
        configuration.syncInterval = .milliseconds(1)
        let logs = try LogSystem(configuration)
        let (threads, lines) = (8, 4_000)
        let halfWay = FutexWord()
        var workers: [SystemThread] = []
        for thread in 0..<threads {
            workers.append(
                try SystemThread(name: "caller") {
                    for number in 0..<lines {
                        logs.logger(number % 2 == 0 ? .rpc : .app).info("line") {
                            $0.add("thread", thread)
                            $0.add("number", number)
                        }
                        if number == lines / 2 {
                            halfWay.increment()
                            halfWay.wakeAll()
                        }
                    }
                })
        }
        while halfWay.value == 0 { halfWay.wait(while: 0, atMost: nil) }
        for name in folder.names {
            try FileSystem.rename("\(folder.path)/\(name)", to: "\(folder.path)/old-\(name)")
        }
        logs.reopen()
        for worker in workers { worker.join() }
        logs.shutdown()

        let statistics = logs.statistics
        #expect(statistics.accepted + statistics.dropped == UInt64(threads * lines))
        #expect(statistics.drained == statistics.accepted)
        #expect(statistics.lost == 0)
        #expect(folder.names.contains { $0.hasPrefix("old-") })
        #expect(folder.names.count > 20)
        var found: UInt64 = 0
        for stream in ["rpc", "app"] {
            var last = [Int](repeating: -1, count: threads)
            for line in linesInOrder(folder, stream) where line.contains("\tline thread=") {
                let thread = try #require(value("thread", line)),
                    number = try #require(value("number", line))
                #expect(number > last[thread], "a line out of order, or twice: \(line)")
                last[thread] = number
                found += 1
            }
        }
        #expect(found == statistics.accepted)
        let reported = folder.lines().filter { $0.contains("log lines dropped") }
            .compactMap { value("dropped", $0) }.reduce(0, +)
        #expect(UInt64(reported) == statistics.dropped)
    }

    @Test("The newest lines are dropped and counted when the buffer is full")
    func fullBuffer() throws {
        let sink = MemorySink()
        var configuration = LogConfiguration()
        configuration.outputs = []
        configuration.bufferCount = 1
        configuration.bufferBytes = 64 * 1024
        let logs = try LogSystem(
            drivenByHand: configuration, time: SystemTimeSource(), sinks: [sink])
        for number in 0..<2_000 { logs.rpc.info("line") { $0.add("number", number) } }
        // The buffer is not drained, so an ERROR is dropped, too, after its wait.
        logs.rpc.error("late")
        let statistics = logs.statistics
        #expect(statistics.accepted > 500 && statistics.dropped > 1)
        #expect(statistics.accepted + statistics.dropped == 2_001)
        logs.flush()
        #expect(sink.lines.count == Int(statistics.accepted) + 1)
        #expect(
            sink.lines[Int(statistics.accepted) - 1].contains("number=\(statistics.accepted - 1)"))
        #expect(sink.lines.last?.contains("dropped=\(statistics.dropped)") == true)
        logs.rpc.info("room again")
        logs.flush()
        #expect(sink.lines.last?.contains("room again") == true)
    }

    @Test("An ERROR waits for room when the buffer is full")
    func errorWait() throws {
        let sink = MemorySink()
        var configuration = LogConfiguration()
        configuration.outputs = []
        configuration.bufferCount = 1
        configuration.bufferBytes = 64 * 1024
        configuration.errorWait = .milliseconds(100)
        // The clock stands still, so that only the drain ends the wait, however late it comes.
        let logs = try LogSystem(
            drivenByHand: configuration, time: ManualTimeSource(), sinks: [sink])
        for number in 0..<2_000 { logs.rpc.info("line") { $0.add("number", number) } }
        let dropped = logs.statistics.dropped
        do {
            let isDone = FutexWord()
            let drainer = try SystemThread(name: "drainer") {
                while isDone.value == 0 { logs.flush() }
            }
            logs.rpc.error("waited")
            isDone.exchange(1)
            drainer.join()
        }
        logs.flush()
        #expect(logs.statistics.dropped == dropped)
        #expect(sink.lines.contains { $0.contains("waited") })
    }

    private func value(_ key: String, _ line: String) -> Int? {
        line.split(whereSeparator: { $0 == " " || $0 == "\t" }).last { $0.hasPrefix(key + "=") }
            .flatMap { Int($0.dropFirst(key.count + 1)) }
    }

    /// The lines of a stream: first those of the renamed files, each group by number.
    private func linesInOrder(_ folder: TemporaryFolder, _ stream: String) -> [String] {
        func index(_ name: String) -> Int { Int(name.split(separator: ".").last ?? "") ?? 0 }
        let names = folder.names.filter { $0.contains("_\(stream)_") }.sorted {
            ($0.hasPrefix("old-") ? 0 : 1, index($0)) < ($1.hasPrefix("old-") ? 0 : 1, index($1))
        }
        return names.flatMap { folder.text($0).split(separator: "\n").map(String.init) }
    }
}
