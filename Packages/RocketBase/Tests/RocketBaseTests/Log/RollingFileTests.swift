import Foundation
import RocketBaseTestKit
import RocketSystem
import Testing

@testable import RocketBase

@Suite struct RollingFileTests {
    let folder = TemporaryFolder()
    /// 15 November 2026, 12:00 UTC: the same date in almost all time zones.
    let time = ManualTimeSource(wall: WallTime(nanoseconds: 1_794_744_000_000_000_000))

    func system(_ change: (inout LogConfiguration) -> Void = { _ in }) throws -> LogSystem {
        var configuration = LogConfiguration()
        configuration.file.folder = folder.path + "/deep/logs"
        configuration.file.name = "order"
        change(&configuration)
        return try LogSystem(drivenByHand: configuration, time: time)
    }

    func names(_ stream: String) -> [String] {
        ((try? FileSystem.names(in: folder.path + "/deep/logs")) ?? [])
            .filter { $0.contains("_\(stream)_") }.sorted()
    }

    func lines(_ name: String) -> [Substring] {
        folder.text("deep/logs/" + name).split(separator: "\n")
    }

    @Test("Creates the folder and one file per stream")
    func creation() throws {
        let logs = try system()
        logs.rpc.info("of the rpc stream")
        logs.app.info("of the app stream")
        logs.shutdown()
        #expect(names("rpc") == ["order_rpc_20261115_log.0"])
        #expect(names("app") == ["order_app_20261115_log.0"])
        #expect(lines("order_rpc_20261115_log.0").count == 1)
        #expect(lines("order_app_20261115_log.0").first?.hasSuffix("of the app stream") == true)
    }

    @Test("A new file starts when the next line would exceed the size limit")
    func sizeLimit() throws {
        let logs = try system { $0.file.maxBytes = 1024 }
        for number in 0..<30 { logs.rpc.info("line") { $0.add("number", number) } }
        logs.shutdown()
        #expect(names("rpc").count > 1)
        var found = 0
        for name in names("rpc") {
            let size = folder.text("deep/logs/" + name).utf8.count
            #expect(size <= 1024 && size > 800 || name == names("rpc").last)
            for line in lines(name) {
                #expect(line.hasSuffix("number=\(found)"))
                found += 1
            }
        }
        #expect(found == 30)
    }

    @Test("A file that can't be opened again is tried with each batch, until it can")
    func tryingAgain() throws {
        let logs = try system()
        let name = "order_rpc_20261115_log.0"
        let path = folder.path + "/deep/logs/" + name
        try FileSystem.remove(path)
        try FileSystem.makeFolder(path)
        logs.reopen()
        for lost in 1...2 {
            logs.rpc.info("lost")
            logs.flush()
            #expect(logs.statistics.lost == UInt64(lost))
        }
        rmdir(path)
        logs.rpc.info("back")
        logs.shutdown()
        #expect(logs.statistics.lost == 2)
        #expect(lines(name).map { $0.hasSuffix("\tback") } == [true])
    }

    @Test("A new file starts at local midnight")
    func midnight() throws {
        let logs = try system()
        logs.rpc.info("today")
        time.advance(by: .seconds(86_400))
        logs.rpc.info("tomorrow")
        logs.flush()
        // A line from before midnight that arrives late goes to the newer file.
        time.setWall(WallTime(nanoseconds: time.wall().nanoseconds - 86_400_000_000_000))
        logs.rpc.info("late")
        logs.shutdown()
        #expect(names("rpc") == ["order_rpc_20261115_log.0", "order_rpc_20261116_log.0"])
        #expect(lines("order_rpc_20261116_log.0").count == 2)
    }

    @Test("The numbering continues after a restart and overwrites no file")
    func restart() throws {
        for round in 0..<3 {
            let logs = try system { $0.file.maxBytes = 1024 }
            for number in 0..<10 { logs.rpc.info("line") { $0.add("n", round * 10 + number) } }
            logs.shutdown()
        }
        let all = names("rpc").flatMap { lines($0) }
        #expect(all.count == 30)
        for (number, line) in all.enumerated() { #expect(line.hasSuffix("n=\(number)")) }
    }

    @Test("A partial line left by a crash does not join the next line")
    func partialLine() throws {
        let first = try system()
        first.rpc.info("whole")
        first.shutdown()
        let path = folder.path + "/deep/logs/order_rpc_20261115_log.0"
        let file = try FileSystem.openForAppending(path)
        let half = Array("[INFO]\thalf".utf8)
        #expect(try half.withUnsafeBytes { try RawWrite.some($0, to: file.raw) } == half.count)
        let second = try system()
        second.rpc.info("next")
        second.shutdown()
        let lines = lines("order_rpc_20261115_log.0")
        #expect(lines.count == 3 && lines[1] == "[INFO]\thalf")
    }

    @Test("Old files are removed by count")
    func keptCount() throws {
        let logs = try system {
            $0.file.maxBytes = 1024
            $0.file.maxFiles = 3
        }
        for number in 0..<100 { logs.rpc.info("line") { $0.add("number", number) } }
        logs.shutdown()
        #expect(names("rpc").count == 3)
        #expect(names("app").count == 1)
        #expect(names("rpc").flatMap { lines($0) }.last?.hasSuffix("number=99") == true)
    }

    @Test("Old files are removed by total size, and other files are kept")
    func keptBytes() throws {
        let foreign = ["order_rpc_notes", "order_rpc_20261115_log.0.gz", "order_rpc_2026_log.1"]
        try FileSystem.makeFolder(folder.path + "/deep/logs")
        for name in foreign {
            _ = try FileSystem.openForAppending(folder.path + "/deep/logs/" + name)
        }
        let logs = try system {
            $0.file.maxBytes = 1024
            $0.file.maxFiles = 0
            $0.file.maxTotalBytes = 5_000
        }
        for number in 0..<200 { logs.rpc.info("line") { $0.add("number", number) } }
        logs.shutdown()
        let logFiles = names("rpc").filter { !foreign.contains($0) }
        let total = logFiles.map { folder.text("deep/logs/" + $0).utf8.count }.reduce(0, +)
        #expect(total <= 5_000 && total > 3_000)
        #expect(names("rpc").filter { foreign.contains($0) }.count == 3)
    }

    @Test("A renamed file is written until reopen")
    func reopening() throws {
        let logs = try system()
        let path = folder.path + "/deep/logs/order_rpc_20261115_log.0"
        logs.rpc.info("one")
        logs.flush()
        try FileSystem.rename(path, to: path + ".old")
        logs.rpc.info("two")
        logs.reopen()
        logs.rpc.info("three")
        logs.shutdown()
        #expect(lines("order_rpc_20261115_log.0.old").count == 2)
        #expect(lines("order_rpc_20261115_log.0").count == 1)
    }

    @Test("A folder that cannot be created is an error at the start")
    func impossibleFolder() throws {
        _ = try FileSystem.openForAppending(folder.path + "/plain")
        var configuration = LogConfiguration()
        configuration.file.folder = folder.path + "/plain/logs"
        #expect(throws: SystemError.self) { try LogSystem(configuration) }
    }

    @Test(
        "File names round-trip",
        arguments: ["order_rpc_20261115_log.0", "order_rpc_20261115_log.12"])
    func fileNames(_ text: String) {
        #expect(LogFileName(text, prefix: "order_rpc")?.description == text)
    }

    @Test(
        "Rejects other file names",
        arguments: [
            "order_rpc_20261115_log.", "order_rpc_20261115_log.-1", "order_rpc_20261115_log.+1",
            "order_rpc_2026111_log.1", "order_rpc__log.1", "x_rpc_20261115_log.0", "",
            "order_rpc_20261115_log.99999999999999999999",
        ])
    func otherFileNames(_ text: String) {
        #expect(LogFileName(text, prefix: "order_rpc") == nil)
    }
}
