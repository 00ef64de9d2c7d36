import Foundation
import RocketSystem
import Testing

@testable import RocketBase

/// Each body runs in a child process and ends it by a crash.
@Suite struct LogCrashTests {
    /// A system whose thread does not drain within the test unless it is woken.
    static func system(_ folder: String) -> LogSystem? {
        var configuration = LogConfiguration()
        configuration.file.folder = folder
        configuration.file.name = "crash"
        configuration.syncInterval = .seconds(3600)
        return try? LogSystem(configuration)
    }

    func check(_ folder: TemporaryFolder, _ signal: String) {
        let lines = folder.lines("_app_")
        #expect(lines.count == 3)
        #expect(lines.first?.hasSuffix("\tfirst number=1") == true)
        #expect(lines.dropFirst().first?.hasSuffix("\tsecond text=\"a b\"") == true)
        #expect(lines.last?.hasSuffix("\tthe process is crashing signal=\(signal)") == true)
        #expect(folder.lines("_rpc_").last?.contains("signal=\(signal)") == true)
    }

    static func log(to logs: LogSystem?) {
        logs?.app.info("first") { $0.add("number", 1) }
        logs?.app.info("second") { $0.add("text", "a b") }
    }

    @Test("Buffered lines are written after a segmentation fault")
    func segmentationFault() async {
        let folder = TemporaryFolder()
        await #expect(processExitsWith: .signal(SIGSEGV)) { [path = folder.path as String] in
            let logs = Self.system(path)
            Self.log(to: logs)
            UnsafeMutablePointer<Int>(bitPattern: 8)?.pointee = 1
        }
        check(folder, "SIGSEGV")
    }

    @Test("Buffered lines are written after abort")
    func abortion() async {
        let folder = TemporaryFolder()
        await #expect(processExitsWith: .signal(SIGABRT)) { [path = folder.path as String] in
            let logs = Self.system(path)
            Self.log(to: logs)
            abort()
        }
        check(folder, "SIGABRT")
    }

    @Test(
        "Buffered lines are written after a crash signal from kill",
        arguments: [SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGABRT])
    func sentSignal(_ number: Int32) async {
        let folder = TemporaryFolder()
        await #expect(processExitsWith: .signal(number)) {
            [path = folder.path as String, number = number as Int32] in
            let logs = Self.system(path)
            Self.log(to: logs)
            kill(getpid(), number)
            while true { pause() }
        }
        let names = [
            SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGILL: "SIGILL", SIGSEGV: "SIGSEGV",
            SIGABRT: "SIGABRT",
        ]
        check(folder, names[number] ?? "")
    }

    @Test("Buffered lines are written after a Swift trap")
    func swiftTrap() async {
        let folder = TemporaryFolder()
        await #expect(processExitsWith: .failure) { [path = folder.path as String] in
            let logs = Self.system(path)
            Self.log(to: logs)
            let empty: [Int] = Array(CommandLine.arguments.dropFirst(1_000_000).map(\.count))
            print(empty[3])
        }
        #if arch(x86_64)
        check(folder, "SIGILL")
        #else
        check(folder, "SIGTRAP")
        #endif
    }

    @Test("Buffered lines are written after abort in another thread")
    func abortionInThread() async {
        let folder = TemporaryFolder()
        await #expect(processExitsWith: .signal(SIGABRT)) { [path = folder.path as String] in
            let logs = Self.system(path)
            Self.log(to: logs)
            _ = try? SystemThread(name: "other") { abort() }
            while true { pause() }
        }
        check(folder, "SIGABRT")
    }

    @Test("A crash during a write loses and repeats no line")
    func crashDuringWrite() async {
        let folder = TemporaryFolder()
        await #expect(processExitsWith: .signal(SIGABRT)) { [path = folder.path as String] in
            var configuration = LogConfiguration()
            configuration.file.folder = path
            configuration.file.name = "crash"
            configuration.syncInterval = .milliseconds(1)
            // Room for all lines, so that a slow writer drops none.
            configuration.bufferBytes = 16 << 20
            let logs = try? LogSystem(configuration)
            for number in 0..<20_000 { logs?.app.error("line") { $0.add("number", number) } }
            abort()
        }
        let numbers = folder.lines("_app_").compactMap { line in
            line.split(separator: "number=").last.flatMap { Int($0) }
        }
        let isComplete = numbers == Array(0..<20_000)
        #expect(isComplete, "\(numbers.count) lines")
    }

    @Test("Buffered lines are written at exit")
    func exiting() async {
        let folder = TemporaryFolder()
        await #expect(processExitsWith: .exitCode(3)) { [path = folder.path as String] in
            let logs = Self.system(path)
            Self.log(to: logs)
            exit(withExtendedLifetime(logs) { 3 })
        }
        #expect(folder.lines("_app_").count == 2)
    }

    @Test("SIGTERM is not logged as a crash")
    func termination() async {
        let folder = TemporaryFolder()
        await #expect(processExitsWith: .signal(SIGTERM)) { [path = folder.path as String] in
            let logs = Self.system(path)
            Self.log(to: logs)
            kill(getpid(), SIGTERM)
            withExtendedLifetime(logs) { while true { pause() } }
        }
        #expect(!folder.lines().contains { $0.contains("crashing") })
    }
}
