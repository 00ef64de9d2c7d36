import Foundation
import RocketSystem
import Testing

@testable import RocketBase

/// A full disk, simulated by a limit on file sizes in a child process, and by /dev/full.
@Suite struct FailingDiskTests {
    @Test("Lines lost on a full disk are counted, and the log continues when there is room again")
    func fullDisk() async {
        let folder = TemporaryFolder()
        let result = await #expect(
            processExitsWith: .exitCode(0), observing: [\.standardErrorContent]
        ) { [path = folder.path as String] in
            var configuration = LogConfiguration()
            configuration.file.folder = path
            configuration.file.name = "full"
            let logs = try LogSystem(drivenByHand: configuration, time: SystemTimeSource())
            func limit(_ bytes: rlim_t) {
                var limit = rlimit(rlim_cur: bytes, rlim_max: rlim_t.max)
                setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            }
            limit(4096)
            for number in 0..<100 { logs.rpc.info("line") { $0.add("number", number) } }
            logs.flush()
            let lost = logs.statistics.lost
            guard lost > 50, lost < 100 else { exit(10) }
            // The disk is still full: the line is lost, and not reported again.
            logs.rpc.info("lost")
            logs.flush()
            guard logs.statistics.lost == lost + 1 else { exit(11) }
            limit(rlim_t.max)
            logs.rpc.info("back")
            logs.flush()
            guard logs.statistics.lost == lost + 1 else { exit(12) }
            logs.shutdown()
            exit(logs.statistics.drained == 102 ? 0 : 13)
        }
        let lines = folder.lines("_rpc_")
        // Whole lines in order, no partial line, then the line after the recovery.
        for (number, line) in lines.dropLast().enumerated() {
            #expect(line.hasSuffix("number=\(number)"))
        }
        #expect(lines.last?.hasSuffix("\tback") == true)
        let lost = 100 - (lines.count - 1) + 1
        let report = folder.lines("_app_").filter { $0.contains("log lines are written again") }
        #expect(report.count == 1 && report.first?.contains("lost=\(lost)") == true)
        let errorText = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(errorText.components(separatedBy: "log lines are being lost").count == 2)
        #expect(errorText.contains("EFBIG"))
    }

    @Test("A full disk neither blocks nor ends the process")
    func fullDevice() async throws {
        let folder = TemporaryFolder()
        try #require(FileManager.default.fileExists(atPath: "/dev/full"))
        let name = LogFileName(
            prefix: "x_rpc",
            date: CivilDate(
                at: SystemTimeSource().wall(),
                utcOffsetSeconds: LocalTime.utcOffsetSeconds(at: SystemTimeSource().wall())),
            index: 0)
        symlink("/dev/full", "\(folder.path)/\(name)")
        var configuration = LogConfiguration()
        configuration.file.folder = folder.path
        configuration.file.name = "x"
        let sink = MemorySink()
        let logs = try LogSystem(configuration, sinks: [sink])
        for number in 0..<1_000 { logs.rpc.info("line") { $0.add("number", number) } }
        logs.flush()
        logs.shutdown()
        #expect(logs.statistics.lost == 1_000)
        #expect(logs.statistics.accepted == 1_000)
        let reports = sink.lines.filter { $0.contains("log lines are being lost") }
        #expect(reports.count == 1 && reports.first?.contains("ENOSPC") == true)
    }
}
